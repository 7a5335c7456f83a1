// Palettes: w = scale * lut[index], tables of integers for groups of rows (assembly/fit/palettes.ts).

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
import type { FitCore } from './fit_core.js';
import { expectKeys } from './options.js';

const KEYS = [
  'mode',
  'nbits',
  'granularity',
  'group_size',
  'enable_per_channel_scale',
  'lut_dtype',
];

export const paletteFit: Fit = { type: 'palettize', parse, run };

/** Tables are in ascending order. */
function run(
  weights: Floats,
  k: number,
  { bits, lut, scale }: WeightFormat,
  core: FitCore,
): FittedStrip {
  const rows = weights.length / k;
  const tableRows = lut!.rows === ALL ? rows : lut!.rows;
  const perChannel = scale!.rows === 1;
  const most = 2 ** (entryBits(lut!.entry) - 1) - 1;
  const stride = paddedK(k);
  const tables = Math.ceil(rows / tableRows);
  const count = perChannel ? rows : tables;
  const w = core.begin(weights);
  const codes = core.place(rows * stride);
  const scales = core.place(4 * count);
  const entries = core.place(tables << bits);
  const scratch = core.place(core.run.palette_scratch_bytes(Math.min(tableRows, rows)));
  const shape = [w, rows, k, tableRows, bits, most, Number(perChannel)] as const;
  const inHalf = core.run.fit_palettes(...shape, codes, stride, scales, entries, scratch);
  return {
    codes: core.bytes(codes, rows * stride),
    scales: core.floats(scales, count),
    lut: new Int8Array(core.bytes(entries, tables << bits).buffer),
    inHalf: inHalf === 1,
  };
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
