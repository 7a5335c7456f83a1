// THE table of weight formats: what a stored weight means. On disk and in memory the same words hold;
// only the order of the bytes differs (executor/wasm/pack.ts has the in-memory layouts).
//
//   float    w = value                              dtype f32, f16 or bf16
//   linear   w = scale * q + bias                   q unsigned, `bits` wide, one scale (and bias) per 32 along k
//            symmetric: no bias is stored and it is -2^(bits-1) * scale, that is w = scale * (q - 2^(bits-1))
//   palette  w = scale * lut[index]                index 4 bits wide, one scale per output channel, one lut of 16
//            int8 entries per 16 output channels (the last group may have fewer)
//
// q and index lie on disk as one bit stream per row, least significant bit first (MLX's order): the 4-bit q of
// element i is `byte[i >> 1] >> 4 * (i & 1) & 15`. Rows whose k is no multiple of 32 are padded on disk to
// one; padding has no meaning.

export type FloatType = 'f32' | 'f16' | 'bf16';

/** Weights along k that share one scale; also the block of an activation row. */
export const GROUP_SIZE = 32;

/** Output channels that share a lut. */
export const PALETTE_ROWS = 16;
/** Entries of a lut of 4 bits. */
export const LUT_ENTRIES = 16;

export interface FloatFormat {
  readonly kind: 'float';
  readonly dtype: FloatType;
}

export interface LinearFormat {
  readonly kind: 'linear';
  readonly bits: 4 | 8;
  /** dtype of scales and biases, as in the file. */
  readonly scaleType: FloatType;
  readonly symmetric: boolean;
}

/** Core ML's constexpr_lut_to_dense, then constexpr_blockwise_shift_scale per channel. */
export interface PaletteFormat {
  readonly kind: 'palette';
  readonly bits: 4;
  /** dtype of the channel scales, as in the file. */
  readonly scaleType: FloatType;
}

export type WeightFormat = FloatFormat | LinearFormat | PaletteFormat;

export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { f32: 4, f16: 2, bf16: 2 };

/** `k` rounded up to whole groups. */
export function paddedK(k: number): number {
  return Math.ceil(k / GROUP_SIZE) * GROUP_SIZE;
}

/** Tables of a palette of `n` output channels. */
export function lutCount(n: number): number {
  return Math.ceil(n / PALETTE_ROWS);
}

/** Name of a format as `inspect` and recipes print it: `f16`, `int4`, `int4-asym`, `int8`, `palettize4`. */
export function formatName(format: WeightFormat): string {
  if (format.kind === 'float') return format.dtype;
  if (format.kind === 'palette') return `palettize${format.bits}`;
  return `int${format.bits}${format.symmetric ? '' : '-asym'}`;
}
