// Palettes: w = scale[row] * lut[the row's table][index]. Core ML's constexpr_lut_to_dense, then
// constexpr_blockwise_shift_scale per channel.
//
//   <path>.indices        U8 [n, paddedK(k) * bits / 8]         the indices' bit stream
//   <path>.channel_scale  F32, F16, BF16 [n]
//   <path>.lut            I8 [ceil(n / group_size), 2^bits]      one table per `group_size` output channels

import { unpackBits } from './bits.js';
import type { Codec } from './codec.js';
import { expectOneOf, expectOnlyKeys } from './expect.js';
import { decodeFloats } from './float_bytes.js';
import { ALL, paddedK, type WeightFormat } from './format.js';
import { dtypeName, type PartShape } from './parts.js';

const KEYS = [
  'type',
  'bits',
  'granularity',
  'group_size',
  'enable_per_channel_scale',
  'in_features',
];
/** Widths and numbers of channels with one table that run. */
export const PALETTE_BITS: readonly number[] = [4];
export const PALETTE_ROWS: readonly number[] = [16];
/** Output channels that share a table unless a recipe says otherwise. */
export const DEFAULT_ROWS = 16;

/** One table per `rows` output channels, and one scale per channel. */
export function paletteFormat(bits: number, rows = DEFAULT_ROWS): WeightFormat {
  return { bits, lut: { rows }, scale: { rows: 1, k: ALL, dtype: 'f16' } };
}

export const palette: Codec = {
  type: 'palettize',
  has: ({ lut }) => lut !== undefined,

  parts({ bits, lut, scale }, n, k): PartShape[] {
    const dtype = dtypeName(scale!.dtype);
    const tables = [Math.ceil(n / lut!.rows), 2 ** bits];
    const stride = (paddedK(k) * bits) / 8;
    return [
      { role: 'codes', suffix: 'indices', dtype: 'U8', shape: [n, stride], serves: 1 },
      { role: 'scales', suffix: 'channel_scale', dtype, shape: [n], serves: 1 },
      { role: 'lut', suffix: 'lut', dtype: 'I8', shape: tables, serves: lut!.rows },
    ];
  },

  decode({ bits, lut, scale }, bytes, begin, end, k) {
    const stride = paddedK(k);
    const scales = decodeFloats(bytes.scales!, scale!.dtype);
    const entries = Int8Array.from(bytes.lut!);
    const codes = unpackBits(bytes.codes!, bits, (end - begin) * stride);
    const firstTable = Math.floor(begin / lut!.rows);
    const out = new Float64Array((end - begin) * k);
    for (let row = 0; row < end - begin; row++) {
      const table = Math.floor((begin + row) / lut!.rows) - firstTable;
      for (let i = 0; i < k; i++) {
        const entry = entries[(table << bits) + codes[row * stride + i]!]!;
        out[row * k + i] = scales[row]! * entry;
      }
    }
    return out;
  },

  name: ({ bits }) => `palettize${bits}`,

  toJson: ({ bits, lut }) => ({
    bits,
    granularity: 'per_grouped_channel',
    group_size: lut!.rows,
    enable_per_channel_scale: true,
  }),

  parse(fields) {
    expectOnlyKeys(fields, KEYS, 'palettes');
    const bits = fields.integer('bits', 1, 16);
    expectOneOf(fields, 'bits', bits, PALETTE_BITS);
    expectOneOf(fields, 'granularity', fields.string('granularity'), ['per_grouped_channel']);
    const rows = fields.integer('group_size', 1, Number.MAX_SAFE_INTEGER);
    expectOneOf(fields, 'group_size', rows, PALETTE_ROWS);
    const scaled = fields.boolean('enable_per_channel_scale', false);
    expectOneOf(fields, 'enable_per_channel_scale', scaled, [true]);
    return paletteFormat(bits, rows);
  },
};
