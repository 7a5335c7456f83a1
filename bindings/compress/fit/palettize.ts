// Palettes: w = scale * lut[index], tables of integers for groups of rows.
//
// With a scale per channel rows are brought to one size, first by their root mean square, so that a table fits them
// all; then tables and scales are fitted by turns. Errors count as they are in the weights.

import { OptionError, UnsupportedError } from '../../errors.js';
import { ALL, paddedK, type WeightFormat } from '../../formats/format.js';
import { entryBits } from '../../formats/lut_entry.js';
import {
  MAX_TABLE_ROWS,
  PALETTE_BITS,
  PALETTE_GRANULARITIES,
  paletteFormat,
} from '../../formats/palette.js';
import { describe } from '../../model/json_fields.js';
import type { Fit, FittedStrip, Floats } from './fit.js';
import { holdsInHalf, roundToHalf } from './half.js';
import { fitLut, Histogram, type LutFit } from './lut_fit.js';
import { expectKeys } from './options.js';

const KEYS = [
  'mode',
  'nbits',
  'granularity',
  'group_size',
  'enable_per_channel_scale',
  'lut_dtype',
];
const TURNS = 2;
/** Scales tried for a row, as parts of the one that the group suggests: rows differ in shape too. */
const SCALE_PARTS = [1, 0.8, 0.9, 1.1, 1.25];

export const paletteFit: Fit = { type: 'palettize', parse, run };

/** Tables are in ascending order. */
function run(weights: Floats, k: number, { bits, lut, scale }: WeightFormat): FittedStrip {
  const rows = weights.length / k;
  const tableRows = lut!.rows === ALL ? rows : lut!.rows;
  const perChannel = scale!.rows === 1;
  const kPadded = paddedK(k);
  const codes = new Uint8Array(rows * kPadded);
  const tables = Math.ceil(rows / tableRows);
  const entries = new Int8Array(tables << bits);
  const scales = new Float32Array(perChannel ? rows : tables);
  const most = 2 ** (entryBits(lut!.entry) - 1) - 1;
  for (let first = 0, group = 0; first < rows; first += tableRows, group++) {
    const count = Math.min(tableRows, rows - first);
    const row = (r: number) => weights.subarray((first + r) * k, (first + r + 1) * k);
    const out = (r: number) => {
      const at = (first + r) * kPadded;
      return codes.subarray(at, at + k);
    };
    const sizes = Float64Array.from({ length: count }, (_, r) =>
      perChannel ? rootMeanSquare(row(r)) : 1,
    );
    for (let turn = 0; turn < (perChannel ? TURNS : 1); turn++) {
      const table = fitGroup(row, sizes, 1 << bits, most);
      if (!table) break;
      entries.set(table.entries, group << bits);
      const nearest = new Nearest(table.entries, most);
      if (!perChannel) {
        const stored = storedScale(table.unit);
        scales[group] = stored;
        for (let r = 0; r < count; r++) nearest.assign(row(r), stored, out(r));
        break;
      }
      for (let r = 0; r < count; r++) {
        const fitted = fitRow(row(r), sizes[r]! * table.unit, nearest, out(r));
        scales[first + r] = fitted;
        sizes[r] = fitted / table.unit;
      }
    }
  }
  return { codes, scales, lut: entries, inHalf: scales.every(holdsInHalf) };
}

function storedScale(scale: number): number {
  return holdsInHalf(scale) ? roundToHalf(scale) : Math.fround(scale);
}

/** The table for rows over their sizes; null if all are zero. */
function fitGroup(
  row: (r: number) => Floats,
  sizes: Float64Array,
  count: number,
  most: number,
): LutFit | null {
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
  return fitLut(values, count, most);
}

/**
 * Chooses scale and indices of one row.
 * @param around the scale to try, and parts of it
 * @param indices written: [k]
 * @returns the scale as it is stored
 */
function fitRow(w: Floats, around: number, nearest: Nearest, indices: Uint8Array): number {
  let best = 0;
  let most = 0;
  for (const part of SCALE_PARTS) {
    const { we, ee } = nearest.assign(w, around * part, indices);
    // With the least-squares scale we / ee the squared error is that of the weights less we^2 / ee.
    if (ee === 0 || (we * we) / ee <= most) continue;
    most = (we * we) / ee;
    best = we / ee;
  }
  const stored = storedScale(best);
  nearest.assign(w, stored, indices);
  return stored;
}

/** Finds the nearest entry of a table: middles between integers are halves, so it is looked up by half steps. */
class Nearest {
  readonly #entries: Int8Array;
  /** Index of the entry nearest to [s / 2 - most - 1, s / 2 - most - 0.5). */
  readonly #byStep: Uint8Array;

  /** @param entries ascending, of at most `most` */
  constructor(entries: Int8Array, most: number) {
    this.#entries = entries;
    this.#byStep = new Uint8Array(4 * (most + 1));
    for (let step = 0, index = 0; step < this.#byStep.length; step++) {
      const value = step / 2 - most - 1;
      while (index + 1 < entries.length && value >= (entries[index]! + entries[index + 1]!) / 2) {
        index++;
      }
      this.#byStep[step] = index;
    }
  }

  /** Writes the index nearest to every w / scale. @returns the sums of w * entry and of entry^2 */
  assign(w: Floats, scale: number, indices: Uint8Array): { we: number; ee: number } {
    const entries = this.#entries;
    const byStep = this.#byStep;
    const last = byStep.length - 1;
    const middle = byStep.length / 2;
    const inverse = scale === 0 ? 0 : 1 / scale;
    let we = 0;
    let ee = 0;
    for (let i = 0; i < w.length; i++) {
      const value = w[i]!;
      const step = Math.floor(2 * value * inverse) + middle;
      const index = byStep[Math.max(0, Math.min(last, step))]!;
      const entry = entries[index]!;
      indices[i] = index;
      we += value * entry;
      ee += entry * entry;
    }
    return { we, ee };
  }
}

function rootMeanSquare(w: Floats): number {
  let sum = 0;
  for (const value of w) sum += value * value;
  return Math.sqrt(sum / w.length);
}

/** Core ML's options and defaults. */
function parse(options: Readonly<Record<string, unknown>>, where: string): WeightFormat {
  expectKeys(options, KEYS, where);
  const { nbits, mode = 'kmeans', granularity = 'per_tensor' } = options;
  const { enable_per_channel_scale: perChannel = false, lut_dtype: entries } = options;
  const wrong = (key: string, expected: string, came: unknown) =>
    new OptionError(`[recipe] ${where}.${key}: expected ${expected}, came ${describe(came)}`);
  if (mode !== 'kmeans') {
    throw new UnsupportedError(
      `[recipe] ${where}: mode ${describe(mode)} is not supported yet, "kmeans" is`,
    );
  }
  const bits = PALETTE_BITS.find((width) => width === nbits);
  if (bits === undefined) throw wrong('nbits', PALETTE_BITS.join(', '), nbits);
  if (typeof perChannel !== 'boolean') {
    throw wrong('enable_per_channel_scale', 'true or false', perChannel);
  }
  if (entries !== undefined && entries !== 'int8') throw wrong('lut_dtype', '"int8"', entries);
  const entry = entries === 'int8' ? ({ entry: 'i8' } as const) : {};
  if (granularity === 'per_tensor') {
    if (options.group_size === undefined) {
      return paletteFormat(bits, { rows: ALL, perChannel, ...entry });
    }
    throw wrong('group_size', `nothing with granularity ${granularity}`, options.group_size);
  }
  if (granularity !== 'per_grouped_channel') {
    throw wrong('granularity', PALETTE_GRANULARITIES.join(' or '), granularity);
  }
  // Core ML's default.
  const rows = options.group_size ?? 32;
  if (!Number.isInteger(rows) || (rows as number) < 1 || (rows as number) > MAX_TABLE_ROWS) {
    throw wrong('group_size', `an integer from 1 to ${MAX_TABLE_ROWS}`, rows);
  }
  return paletteFormat(bits, { rows: rows as number, perChannel, ...entry });
}
