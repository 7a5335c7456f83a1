// Palettes: w = scale * lut[the row's table][index]. Core ML's constexpr_lut_to_dense, then
// constexpr_blockwise_shift_scale. A vector palette's entry is `cluster_dim` values: of as many consecutive output
// channels, at one k.
//
//   <path>.indices        U8 [n / cluster_dim, paddedK(k) * bits / 8]   the indices' bit stream
//   <path>.channel_scale  F32, F16, BF16 [n]                    one for each output channel,
//                         or [n, groups]                        or for each `block_size` weights along its k
//   or .lut_scale         likewise [tables]                     one for each table
//   or none                                                     only with float entries
//   <path>.lut            I8, F16, F32 [tables, 2^bits]         tables = ceil(n / group_size); 1: per_tensor
//                         or [tables, 2^bits, cluster_dim]
//
// Where the matmul takes floats, the product is rounded to f32.

import { unpackBits } from './bits.js';
import type { Codec } from './codec.js';
import { decodeFloats } from './float_bytes.js';
import { ALL, groupCount, type LutFormat, paddedK, roundingOf } from './format.js';
import { decodeEntries, entryType } from './lut_entry.js';
import { paletteFromJson, paletteName, paletteToJson } from './palette_words.js';
import { dtypeName, type PartShape } from './parts.js';

/** How many `n` output channels have of what `rows` share. */
function shares(rows: number, n: number): { count: number; serves: number } {
  return rows === ALL ? { count: 1, serves: n } : { count: Math.ceil(n / rows), serves: rows };
}

/** Tables of `n` output channels. */
export function tableCount({ rows }: LutFormat, n: number): number {
  return shares(rows, n).count;
}

export const palette: Codec = {
  type: 'palettize',
  suffixes: ['indices', 'channel_scale', 'lut_scale', 'lut'],
  has: ({ lut }) => lut !== undefined,

  parts({ bits, lut, scale }, n, k): PartShape[] {
    const { rows, entry, dim } = lut!;
    const indices = [Math.ceil(n / dim), (paddedK(k) * bits) / 8];
    const tables = shares(rows, n);
    const entries = [tables.count, 2 ** bits, ...(dim > 1 ? [dim] : [])];
    const parts: PartShape[] = [
      { role: 'codes', suffix: 'indices', dtype: 'U8', shape: indices, serves: dim },
    ];
    if (scale) {
      const { count, serves } = shares(scale.rows, n);
      const suffix = scale.rows === 1 ? 'channel_scale' : 'lut_scale';
      const shape = scale.k === ALL ? [count] : [count, groupCount(scale, k)];
      parts.push({ role: 'scales', suffix, dtype: dtypeName(scale.dtype), shape, serves });
    }
    const { dtype } = entryType(entry);
    parts.push({ role: 'lut', suffix: 'lut', dtype, shape: entries, serves: tables.serves });
    return parts;
  },

  decode(format, bytes, begin, end, k) {
    const { bits, scale } = format;
    const { rows, entry, dim } = format.lut!;
    const stride = paddedK(k);
    const groups = scale ? groupCount(scale, k) : 0;
    const length = !scale || scale.k === ALL ? k : scale.k;
    const scales = scale && decodeFloats(bytes.scales!, scale.dtype);
    const entries = decodeEntries(bytes.lut!, entry);
    const firstIndices = Math.floor(begin / dim);
    const codes = unpackBits(bytes.codes!, bits, (Math.ceil(end / dim) - firstIndices) * stride);
    const round = roundingOf(format);
    /** Of what `shared` rows share, which one is the row's; the first is that of row `begin`. */
    const share = (shared: number, row: number) =>
      shared === ALL ? 0 : Math.floor(row / shared) - Math.floor(begin / shared);
    const out = new Float64Array((end - begin) * k);
    for (let row = begin; row < end; row++) {
      const table = (share(rows, row) << bits) * dim + (row % dim);
      const indices = (Math.floor(row / dim) - firstIndices) * stride;
      const first = scale ? share(scale.rows, row) * groups : 0;
      for (let i = 0; i < k; i++) {
        const value = entries[table + codes[indices + i]! * dim]!;
        const factor = scales ? scales[first + Math.floor(i / length)]! : 1;
        out[(row - begin) * k + i] = round(factor * value);
      }
    }
    return out;
  },

  name: paletteName,
  toJson: paletteToJson,
  parse: paletteFromJson,
};
