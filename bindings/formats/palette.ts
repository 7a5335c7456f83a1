// Palettes: w = scale * lut[the row's table][index]. Core ML's constexpr_lut_to_dense, then
// constexpr_blockwise_shift_scale.
//
//   <path>.indices        U8 [n, paddedK(k) * bits / 8]         the indices' bit stream
//   <path>.channel_scale  F32, F16, BF16 [n]                    one for each output channel
//   or .lut_scale         likewise [tables]                     one for each table
//   <path>.lut            I8 [tables, 2^bits]                   tables = ceil(n / group_size); 1: per_tensor

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
  'lut_dtype',
  'enable_per_channel_scale',
  'in_features',
];
/** Widths that run. */
export const PALETTE_BITS: readonly number[] = [1, 2, 3, 4, 6, 8];
/** Output channels that share a table unless a recipe says otherwise. */
export const DEFAULT_ROWS = 16;
/** Most output channels that may share one, `per_tensor` apart. */
export const MAX_TABLE_ROWS = 1 << 24;

/** Core ML's words for what shares a table. */
export const PALETTE_GRANULARITIES = ['per_grouped_channel', 'per_tensor'] as const;

export interface PaletteOptions {
  /** Output channels that share a table, or ALL. */
  readonly rows?: number;
  /** Whether each channel has a scale; else each table. */
  readonly perChannel?: boolean;
  readonly entryBits?: 7 | 8;
}

export function paletteFormat(
  bits: number,
  { rows = DEFAULT_ROWS, perChannel = true, entryBits = bits === 8 ? 8 : 7 }: PaletteOptions = {},
): WeightFormat {
  const scale = { rows: perChannel ? 1 : rows, k: ALL, dtype: 'f16' } as const;
  return { bits, lut: { rows, entryBits }, scale };
}

/** Tables of `n` output channels, or their scales. */
function shares(rows: number, n: number): { count: number; serves: number } {
  return rows === ALL ? { count: 1, serves: n } : { count: Math.ceil(n / rows), serves: rows };
}

export const palette: Codec = {
  type: 'palettize',
  suffixes: ['indices', 'channel_scale', 'lut_scale', 'lut'],
  has: ({ lut }) => lut !== undefined,

  parts({ bits, lut, scale }, n, k): PartShape[] {
    const dtype = dtypeName(scale!.dtype);
    const tables = shares(lut!.rows, n);
    const scales = shares(scale!.rows, n);
    const suffix = scale!.rows === 1 ? 'channel_scale' : 'lut_scale';
    const stride = (paddedK(k) * bits) / 8;
    const entries = [tables.count, 2 ** bits];
    return [
      { role: 'codes', suffix: 'indices', dtype: 'U8', shape: [n, stride], serves: 1 },
      { role: 'scales', suffix, dtype, shape: [scales.count], serves: scales.serves },
      { role: 'lut', suffix: 'lut', dtype: 'I8', shape: entries, serves: tables.serves },
    ];
  },

  decode({ bits, lut, scale }, bytes, begin, end, k) {
    const stride = paddedK(k);
    const scales = decodeFloats(bytes.scales!, scale!.dtype);
    const entries = Int8Array.from(bytes.lut!);
    const codes = unpackBits(bytes.codes!, bits, (end - begin) * stride);
    /** Of what `rows` share, which one is the row's; the first is that of row `begin`. */
    const share = (rows: number, row: number) =>
      rows === ALL ? 0 : Math.floor((begin + row) / rows) - Math.floor(begin / rows);
    const out = new Float64Array((end - begin) * k);
    for (let row = 0; row < end - begin; row++) {
      const table = share(lut!.rows, row) << bits;
      const factor = scales[share(scale!.rows, row)]!;
      for (let i = 0; i < k; i++) {
        out[row * k + i] = factor * entries[table + codes[row * stride + i]!]!;
      }
    }
    return out;
  },

  name({ bits, lut, scale }) {
    const group = lut!.rows === DEFAULT_ROWS ? '' : `-g${lut!.rows}`;
    const tables = lut!.rows === ALL ? '-tensor' : group;
    const entries = lut!.entryBits === 8 && bits < 8 ? '-int8' : '';
    return `palettize${bits}${tables}${entries}${scale!.rows === 1 ? '' : '-unscaled'}`;
  },

  toJson({ bits, lut, scale }) {
    const tables =
      lut!.rows === ALL
        ? { granularity: 'per_tensor' }
        : { granularity: 'per_grouped_channel', group_size: lut!.rows };
    const wide = lut!.entryBits === 8 && { lut_dtype: 'int8' };
    return { bits, ...tables, ...wide, enable_per_channel_scale: scale!.rows === 1 };
  },

  parse(fields) {
    expectOnlyKeys(fields, KEYS, 'palettes');
    const bits = fields.integer('bits', 1, 16);
    expectOneOf(fields, 'bits', bits, PALETTE_BITS);
    const granularity = fields.string('granularity');
    expectOneOf<string>(fields, 'granularity', granularity, PALETTE_GRANULARITIES);
    const perChannel = fields.boolean('enable_per_channel_scale', false);
    const entries = fields.string('lut_dtype', 'int7');
    expectOneOf(fields, 'lut_dtype', entries, ['int7', 'int8']);
    const options = { perChannel, entryBits: entries === 'int8' ? 8 : 7 } as const;
    if (granularity === 'per_tensor') {
      if (fields.has('group_size')) throw fields.wrong('group_size', `nothing, ${granularity}`);
      return paletteFormat(bits, { rows: ALL, ...options });
    }
    return paletteFormat(bits, {
      rows: fields.integer('group_size', 1, MAX_TABLE_ROWS),
      ...options,
    });
  },
};
