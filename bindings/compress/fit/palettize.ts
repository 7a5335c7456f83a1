// Palettes: w = scale[row] * lut[index], one table of 16 7-bit entries for 16 rows.
//
// Rows are brought to one size, first by their root mean square, so that a table fits them all; then tables
// and scales are fitted by turns. Errors count as they are in the weights.

import { UnsupportedError } from '../../errors.js';
import { paddedK, type WeightFormat } from '../../formats/format.js';
import { DEFAULT_ROWS, paletteFormat } from '../../formats/palette.js';
import type { Fit, FittedStrip, Floats } from './fit.js';
import { holdsInHalf, roundToHalf } from './half.js';
import { fitLut, Histogram, LUT_ENTRIES } from './lut_fit.js';
import { expectKeys, show } from './options.js';

/** Steps of half an entry over -64..63. */
const HALF_STEPS = 256;
const TURNS = 2;
/** Scales tried for a row, as parts of the one that the group suggests: rows differ in shape too. */
const SCALE_PARTS = [1, 0.8, 0.9, 1.1, 1.25];

export const paletteFit: Fit = { type: 'palettize', parse, run };

/** Tables are in ascending order. */
function run(weights: Floats, k: number, format: WeightFormat): FittedStrip {
  const tableRows = format.lut!.rows;
  const rows = weights.length / k;
  const kPadded = paddedK(k);
  const codes = new Uint8Array(rows * kPadded);
  const lut = new Int8Array(Math.ceil(rows / tableRows) * LUT_ENTRIES);
  const scales = new Float32Array(rows);
  for (let first = 0, group = 0; first < rows; first += tableRows, group++) {
    const count = Math.min(tableRows, rows - first);
    const row = (r: number) => weights.subarray((first + r) * k, (first + r + 1) * k);
    const sizes = Float64Array.from({ length: count }, (_, r) => rootMeanSquare(row(r)));
    for (let turn = 0; turn < TURNS; turn++) {
      const table = fitGroup(row, sizes);
      if (!table) break;
      lut.set(table.entries, group * LUT_ENTRIES);
      const nearest = nearestEntries(table.entries);
      for (let r = 0; r < count; r++) {
        const at = (first + r) * kPadded;
        const out = codes.subarray(at, at + k);
        const scale = fitRow(row(r), sizes[r]! * table.unit, table.entries, nearest, out);
        scales[first + r] = scale;
        sizes[r] = scale / table.unit;
      }
    }
  }
  return { codes, scales, lut, inHalf: scales.every(holdsInHalf) };
}

/** The table for rows over their sizes; null if all are zero. */
function fitGroup(row: (r: number) => Floats, sizes: Float64Array) {
  let extreme = 0;
  for (const [r, size] of sizes.entries()) {
    if (size === 0) continue;
    for (const value of row(r)) extreme = Math.max(extreme, Math.abs(value) / size);
  }
  if (extreme === 0) return null;
  const values = new Histogram(extreme);
  for (const [r, size] of sizes.entries()) {
    if (size > 0) values.add(row(r), 1 / size, size * size);
  }
  values.close();
  return fitLut(values);
}

/**
 * Chooses scale and indices of one row.
 * @param around the scale to try, and parts of it
 * @param indices written: [k]
 * @returns the scale as it is stored
 */
function fitRow(
  w: Floats,
  around: number,
  entries: Int8Array,
  nearest: Uint8Array,
  indices: Uint8Array,
): number {
  let best = 0;
  let most = 0;
  for (const part of SCALE_PARTS) {
    const { we, ee } = assign(w, around * part, entries, nearest, indices);
    // With the least-squares scale we / ee the squared error is that of the weights less we^2 / ee.
    if (ee === 0 || (we * we) / ee <= most) continue;
    most = (we * we) / ee;
    best = we / ee;
  }
  const stored = holdsInHalf(best) ? roundToHalf(best) : Math.fround(best);
  assign(w, stored, entries, nearest, indices);
  return stored;
}

/** Writes the index nearest to every w / scale. @returns the sums of w * entry and of entry^2 */
function assign(
  w: Floats,
  scale: number,
  entries: Int8Array,
  nearest: Uint8Array,
  indices: Uint8Array,
): { we: number; ee: number } {
  const inverse = scale === 0 ? 0 : 1 / scale;
  let we = 0;
  let ee = 0;
  for (let i = 0; i < w.length; i++) {
    const value = w[i]!;
    const step = Math.floor(2 * value * inverse) + HALF_STEPS / 2;
    const index = nearest[Math.max(0, Math.min(HALF_STEPS - 1, step))]!;
    const entry = entries[index]!;
    indices[i] = index;
    we += value * entry;
    ee += entry * entry;
  }
  return { we, ee };
}

/** Index of the entry nearest to [s / 2 - 64, s / 2 - 63.5): middles between integers are halves. */
function nearestEntries(entries: Int8Array): Uint8Array {
  const nearest = new Uint8Array(HALF_STEPS);
  for (let step = 0, index = 0; step < HALF_STEPS; step++) {
    const value = (step - HALF_STEPS / 2) / 2;
    while (index + 1 < LUT_ENTRIES && value >= (entries[index]! + entries[index + 1]!) / 2) index++;
    nearest[step] = index;
  }
  return nearest;
}

function rootMeanSquare(w: Floats): number {
  let sum = 0;
  for (const value of w) sum += value * value;
  return Math.sqrt(sum / w.length);
}

/** Core ML's options and defaults, of which one combination is supported. */
function parse(options: Readonly<Record<string, unknown>>, where: string): WeightFormat {
  const { mode, nbits, granularity, group_size: groupSize, ...rest } = options;
  const { enable_per_channel_scale: scaled, ...others } = rest;
  expectKeys(others, [], where);
  const supported: [string, unknown, unknown][] = [
    ['mode', mode ?? 'kmeans', 'kmeans'],
    ['nbits', nbits, 4],
    ['granularity', granularity ?? 'per_tensor', 'per_grouped_channel'],
    ['group_size', groupSize, DEFAULT_ROWS],
    ['enable_per_channel_scale', scaled ?? false, true],
  ];
  for (const [key, came, only] of supported) {
    if (came === only) continue;
    throw new UnsupportedError(
      `[recipe] ${where}: ${key} ${show(came)} is not supported yet, ${show(only)} is`,
    );
  }
  return paletteFormat(4, DEFAULT_ROWS);
}
