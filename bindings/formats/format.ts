// THE description of what a stored weight means: a composition, like Core ML's constexpr ops, in which what
// is left out does not happen.
//
//   float   w = value                           of type `float`; nothing else is there then
//   codes   v = q                               unsigned, `bits` wide
//           v = lut[row's table][q]             lut: tables of 2^bits integers, each for `rows` channels
//   scale   w = scale * v + bias                a scale (and bias) for `rows` channels x `k` weights along k
//           w = scale * (q - 2^(bits - 1))      without bias and lut: symmetric
//
// On disk and in memory the same words hold; only the order of the bytes differs (executor/wasm/packing.ts).
// Codes lie on disk as one bit stream per row, least significant bit first (MLX's order).

export type FloatType = 'f32' | 'f16' | 'bf16';

export interface WeightFormat {
  /** Of one stored element: a float, or a code of 1 to 8 bits. */
  readonly bits: number;
  readonly float?: FloatType;
  readonly lut?: LutFormat;
  readonly scale?: ScaleFormat;
  /** A bias of the scales' type lies beside every scale. */
  readonly bias?: true;
}

export interface LutFormat {
  /** Output channels that share a table, or ALL. */
  readonly rows: number;
  /** Of an entry: 7, -64 to 63, whose products the fastest kernels add; or 8. */
  readonly entryBits: 7 | 8;
}

export interface ScaleFormat {
  /** Output channels that share a scale: 1, those of a table, or ALL. */
  readonly rows: number;
  /** Weights along k that share one (a group), or ALL. */
  readonly k: number;
  /** dtype of scales and biases, as in the file. */
  readonly dtype: FloatType;
}

/** In place of a count of rows or of weights along k: as many as there are. */
export const ALL = 0;

export const FLOAT_BYTES: Readonly<Record<FloatType, number>> = { f32: 4, f16: 2, bf16: 2 };

/** Codes of a row on disk come in multiples of this: codes of any width then fill whole 32-bit words. */
const WORD_CODES = 32;

/** Codes that a row of `k` weights has on disk; those behind k have no meaning. */
export function paddedK(k: number): number {
  return Math.ceil(k / WORD_CODES) * WORD_CODES;
}

/** Scales of one row of `k` weights. */
export function groupCount(scale: ScaleFormat, k: number): number {
  return scale.k === ALL ? 1 : Math.ceil(k / scale.k);
}

export function floatFormat(float: FloatType): WeightFormat {
  return { bits: 8 * FLOAT_BYTES[float], float };
}

/** The format with scales of another type: config.json says all but that, the tensors do. */
export function withScaleType(format: WeightFormat, dtype: FloatType): WeightFormat {
  return format.scale ? { ...format, scale: { ...format.scale, dtype } } : format;
}
