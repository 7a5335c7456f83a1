// THE table of weight formats: what a stored weight means. On disk and in memory the same words hold;
// only the order of the bytes differs (executor/wasm/pack.ts has the in-memory layouts).
//
//   float    w = value                              dtype f32, f16 or bf16
//   linear   w = scale * q + bias                   q unsigned, `bits` wide, one scale (and bias) per 32 along k
//            symmetric: no bias is stored and it is -2^(bits-1) * scale, that is w = scale * (q - 2^(bits-1))
//
// q lies on disk as one bit stream per row, least significant bit first (MLX's order): the 4-bit q of
// element i is `byte[i >> 1] >> 4 * (i & 1) & 15`. Rows whose k is no multiple of 32 are padded on disk to
// one; padding has no meaning.

export type FloatType = 'f32' | 'f16' | 'bf16';

/** Weights along k that share one scale; also the block of an activation row. */
export const GROUP_SIZE = 32;

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

export type WeightFormat = FloatFormat | LinearFormat;

export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { f32: 4, f16: 2, bf16: 2 };

/** `k` rounded up to whole groups. */
export function paddedK(k: number): number {
  return Math.ceil(k / GROUP_SIZE) * GROUP_SIZE;
}

/** Name of a format as `inspect` and recipes print it: `f16`, `int4`, `int4-asym`, `int8`. */
export function formatName(format: WeightFormat): string {
  if (format.kind === 'float') return format.dtype;
  return `int${format.bits}${format.symmetric ? '' : '-asym'}`;
}

/** Bytes of one row of `k` weights as stored, scales and biases included. */
export function rowBytes(format: WeightFormat, k: number): number {
  if (format.kind === 'float') return k * FLOAT_BYTES[format.dtype];
  const groups = paddedK(k) / GROUP_SIZE;
  const perScale = FLOAT_BYTES[format.scaleType] * (format.symmetric ? 1 : 2);
  return groups * (GROUP_SIZE * (format.bits / 8) + perScale);
}
