// Palettes whose every group of rows has a table of its own, of floats or of vectors, by k-means; or of anything, in
// Core ML's modes uniform and unique. (Integers by k-means: palettize.ts.)
//
// With a scale per channel rows are first brought to one size: that of their root mean square for k-means, which then
// fits scales to the codes; that of their largest magnitude, as Core ML does, for the other modes.

import { ALL, paddedK, type WeightFormat } from '../../formats/format.js';
import type { FittedStrip, Floats } from './fit.js';
import type { FitCore } from './fit_core.js';
import { kMeans } from './kmeans.js';
import { NearestEntry } from './nearest_entry.js';
import { allInHalf, type StoredEntries, storedEntries, storedScale } from './stored_entries.js';
import { uniformCodes, uniformTable, uniqueTable } from './value_tables.js';

/** Rows of weights that share a table, and where their codes go. */
interface Group {
  readonly w: Floats;
  readonly k: number;
  readonly dim: number;
  /** [rows / dim, paddedK(k)] */
  readonly codes: Uint8Array;
}

/** @param weights [rows, k], whole groups */
export function fitGroupTables(
  weights: Floats,
  k: number,
  { bits, lut, scale }: WeightFormat,
  core: FitCore,
  mode: 'kmeans' | 'uniform' | 'unique',
): FittedStrip {
  const { rows: shared, entry, dim } = lut!;
  const rows = weights.length / k;
  const together = shared === ALL ? rows : shared;
  const perChannel = scale?.rows === 1;
  const size = 2 ** bits * dim;
  const tables = Math.ceil(rows / together);
  const strip = {
    codes: new Uint8Array((rows / dim) * paddedK(k)),
    scales: new Float32Array(!scale ? 0 : perChannel ? rows : tables),
    lut: new Float32Array(tables * size),
  };
  for (let first = 0, table = 0; first < rows; first += together, table++) {
    const end = Math.min(first + together, rows);
    const codes = strip.codes.subarray((first / dim) * paddedK(k), (end / dim) * paddedK(k));
    const group: Group = { w: weights.subarray(first * k, end * k), k, dim, codes };
    const sizes = perChannel ? sizesOf(group, mode, core) : new Float64Array(end - first).fill(1);
    const points = pointsOf(group, sizes);
    const values = tableOf(points, dim, 2 ** bits, mode);
    const stored = typeof values === 'string' ? values : storedEntries(values, entry, core);
    if (typeof stored === 'string') return { ...strip, inHalf: true, refused: stored };
    strip.lut.set(stored.entries, table * size);
    const factors = sizes.map((one) => (scale ? storedScale(one * stored.unit, core) : 1));
    if (mode === 'uniform') writeCodes(group, uniformCodes(points, 2 ** bits));
    else assign(group, stored.entries, factors);
    if (perChannel && mode === 'kmeans') refit(group, stored, factors, core);
    if (perChannel) strip.scales.set(factors, first);
    else if (scale) strip.scales[table] = factors[0]!;
  }
  return { ...strip, inHalf: allInHalf(strip.scales, core) };
}

function tableOf(
  points: Float64Array,
  dim: number,
  count: number,
  mode: 'kmeans' | 'uniform' | 'unique',
): Float64Array | string {
  if (mode === 'uniform') return uniformTable(points, count);
  return mode === 'unique' ? uniqueTable(points, count) : kMeans(points, dim, count);
}

/** Of rows of zeros, 1. */
function sizesOf({ w, k }: Group, mode: string, core: FitCore): Float64Array {
  return Float64Array.from({ length: w.length / k }, (_, row) => {
    let squares = 0;
    let most = 0;
    for (let i = row * k; i < (row + 1) * k; i++) {
      squares += w[i]! * w[i]!;
      most = Math.max(most, Math.abs(w[i]!));
    }
    return storedScale(mode === 'kmeans' ? Math.sqrt(squares / k) : most, core) || 1;
  });
}

/** Weights over their rows' sizes [rows / dim * k, dim]: at one k those of consecutive rows. */
function pointsOf({ w, k, dim }: Group, sizes: Float64Array): Float64Array {
  const points = new Float64Array(w.length);
  for (let row = 0; row < sizes.length; row++) {
    const first = (row - (row % dim)) * k + (row % dim);
    for (let i = 0; i < k; i++) points[first + i * dim] = w[row * k + i]! / sizes[row]!;
  }
  return points;
}

/** Codes one after the other to rows that are padded. */
function writeCodes({ codes, k }: Group, from: Uint8Array): void {
  for (let row = 0; row * k < from.length; row++) {
    codes.set(from.subarray(row * k, (row + 1) * k), row * paddedK(k));
  }
}

/** Writes the index nearest to every point, in units of entries. */
function assign(group: Group, entries: Float32Array, factors: Float64Array): void {
  const { w, dim } = group;
  const nearest = new NearestEntry(entries, dim);
  const points = pointsOf(
    group,
    factors.map((factor) => factor || 1),
  );
  const found = new Uint8Array(w.length / dim);
  for (let i = 0; i < found.length; i++) found[i] = nearest.indexOf(points, i * dim);
  writeCodes(group, found);
}

/** Gives every row the scale of least squares for its codes, then codes for that scale. */
function refit(
  group: Group,
  { entries }: StoredEntries,
  factors: Float64Array,
  core: FitCore,
): void {
  const { w, k, dim, codes } = group;
  for (let row = 0; row < factors.length; row++) {
    const indices = Math.floor(row / dim) * paddedK(k);
    let we = 0;
    let ee = 0;
    for (let i = 0; i < k; i++) {
      const value = entries[codes[indices + i]! * dim + (row % dim)]!;
      we += value * w[row * k + i]!;
      ee += value * value;
    }
    if (ee > 0) factors[row] = storedScale(we / ee, core);
  }
  assign(group, entries, factors);
}
