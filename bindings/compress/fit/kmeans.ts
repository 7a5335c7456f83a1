// K-means in one dimension or several: cells of greatest error are cut at their mean until there are enough, then
// Lloyd's algorithm moves their centers. No random number, so the same points give the same centers.

import { NearestEntry } from './nearest_entry.js';

/** Of more points, so many at equal distances stand for all. */
const MOST_POINTS = 1 << 16;
const ROUNDS = 24;

interface Cell {
  /** Places of points in the list that cells share. */
  readonly begin: number;
  readonly end: number;
  readonly mean: Float64Array;
  /** Sum of squared distances to the mean. */
  readonly error: number;
  /** Coordinate with the most of it. */
  readonly axis: number;
}

/**
 * Centers [count, dim], ascending by their first coordinate; of fewer different points, those, then zeros.
 * @param points [any, dim]
 */
export function kMeans(points: Float64Array, dim: number, count: number): Float64Array {
  const sample = everyNth(points, dim);
  const centers = cut(sample, dim, count);
  for (let round = 0; round < ROUNDS && move(sample, centers, dim); round++);
  const rows = Array.from({ length: centers.length / dim }, (_, i) =>
    centers.subarray(i * dim, (i + 1) * dim),
  );
  const out = new Float64Array(count * dim);
  rows.sort(compare).forEach((row, i) => {
    out.set(row, i * dim);
  });
  return out;
}

function everyNth(points: Float64Array, dim: number): Float64Array {
  const count = points.length / dim;
  if (count <= MOST_POINTS) return points;
  const out = new Float64Array(MOST_POINTS * dim);
  for (let i = 0; i < MOST_POINTS; i++) {
    const from = Math.floor((i * count) / MOST_POINTS) * dim;
    for (let d = 0; d < dim; d++) out[i * dim + d] = points[from + d]!;
  }
  return out;
}

function compare(a: Float64Array, b: Float64Array): number {
  const differs = a.findIndex((value, d) => value !== b[d]);
  return differs < 0 ? 0 : a[differs]! - b[differs]!;
}

/** Means of at most `count` cells. */
function cut(points: Float64Array, dim: number, count: number): Float64Array {
  const order = Uint32Array.from({ length: points.length / dim }, (_, i) => i);
  const cells = [cellOf(points, order, dim, 0, order.length)];
  while (cells.length < count) {
    const widest = cells.reduce((best, cell, i) => (cell.error > cells[best]!.error ? i : best), 0);
    const { begin, end, mean, error, axis } = cells[widest]!;
    if (error === 0) break;
    const middle = partition(points, order, dim, begin, end, axis, mean[axis]!);
    // Rounding of the mean may leave one side empty.
    if (middle === begin || middle === end) break;
    cells[widest] = cellOf(points, order, dim, begin, middle);
    cells.push(cellOf(points, order, dim, middle, end));
  }
  const centers = new Float64Array(cells.length * dim);
  for (const [i, { mean }] of cells.entries()) centers.set(mean, i * dim);
  return centers;
}

function cellOf(
  points: Float64Array,
  order: Uint32Array,
  dim: number,
  begin: number,
  end: number,
): Cell {
  const mean = new Float64Array(dim);
  let error = 0;
  let axis = 0;
  let most = -1;
  for (let d = 0; d < dim; d++) {
    let sum = 0;
    for (let i = begin; i < end; i++) sum += points[order[i]! * dim + d]!;
    const middle = sum / (end - begin);
    let squares = 0;
    for (let i = begin; i < end; i++) squares += (points[order[i]! * dim + d]! - middle) ** 2;
    mean[d] = middle;
    error += squares;
    if (squares > most) {
      most = squares;
      axis = d;
    }
  }
  return { begin, end, mean, error, axis };
}

/** Brings points below `limit` along `axis` to the front. @returns where the others begin */
function partition(
  points: Float64Array,
  order: Uint32Array,
  dim: number,
  begin: number,
  end: number,
  axis: number,
  limit: number,
): number {
  let middle = begin;
  for (let i = begin; i < end; i++) {
    const point = order[i]!;
    if (points[point * dim + axis]! >= limit) continue;
    order[i] = order[middle]!;
    order[middle++] = point;
  }
  return middle;
}

/** Moves every center to the mean of the points nearest to it. @returns whether one moved */
function move(points: Float64Array, centers: Float64Array, dim: number): boolean {
  const nearest = new NearestEntry(centers, dim);
  const sums = new Float64Array(centers.length);
  const counts = new Uint32Array(centers.length / dim);
  for (let at = 0; at < points.length; at += dim) {
    const index = nearest.indexOf(points, at);
    counts[index]!++;
    for (let d = 0; d < dim; d++) sums[index * dim + d]! += points[at + d]!;
  }
  let moved = false;
  for (let i = 0; i < centers.length; i++) {
    const count = counts[Math.floor(i / dim)]!;
    const mean = count > 0 ? sums[i]! / count : centers[i]!;
    if (mean !== centers[i]) moved = true;
    centers[i] = mean;
  }
  return moved;
}
