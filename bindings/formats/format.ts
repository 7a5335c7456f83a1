// THE description of what a stored weight means: a composition, like Core ML's constexpr ops, in which what
// is left out does not happen.
//
//   float   w = value                           of type `float`; nothing else is there then
//   codes   v = q                               unsigned, `bits` wide
//           v = lut[row's table][q]             lut: tables of 2^bits entries, each for `rows` channels
//   scale   w = scale * v + bias                a scale (and bias) for `rows` channels x `k` weights along k
//           w = scale * (q - 2^(bits - 1))      without bias and lut: symmetric
//   sparse  only the weights whose bit in a mask is set are stored, as floats or codes; the others are zero
//   outliers  w += value                      of few weights, whatever the rest of the format
//
// Where a matmul takes float activations (`takesFloats`), every operation above is rounded to f32, as float weights
// would be; where it takes int8 ones, its sums keep v exact, and scales come after the dots.
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
  /** Matmul takes its input in float32, although the values are small integers; else as int8 per block of 32. */
  readonly activations?: 'float';
  readonly outliers?: OutlierFormat;
  readonly sparse?: SparseFormat;
}

/**
 * An entry of a table: an integer of 7 bits, -64 to 63, whose products the fastest kernels add, or of 8; or a float.
 */
export type LutEntry = 'i7' | 'i8' | 'f16' | 'f32';

export interface LutFormat {
  /** Output channels that share a table, or ALL. */
  readonly rows: number;
  readonly entry: LutEntry;
  /** Consecutive output channels of which one index gives the values at one k: 1, 2 or 4. */
  readonly dim: number;
}

export interface ScaleFormat {
  /** Output channels that share a scale: 1, those of a table, or ALL. */
  readonly rows: number;
  /** Weights along k that share one (a group), or ALL. */
  readonly k: number;
  /** Of scales and biases, as in the file; of their steps, where there are such. */
  readonly dtype: FloatType;
  /** Two levels: scales and biases are int8 counts of steps, each for so many weights along k (scales.ts). */
  readonly super?: number;
}

export interface OutlierFormat {
  /** How many there are, as in the file. */
  readonly count: number;
}

export interface SparseFormat {
  /** Floats or codes that are stored; fewer than 8 of them may be padding. As in the file. */
  readonly nonZeros: number;
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

/** Whether a matmul takes its input in float32: told so, or because the weight's values are no small integers. */
export function takesFloats({ float, lut, activations }: WeightFormat): boolean {
  if (float !== undefined || activations === 'float') return true;
  return lut !== undefined && (lut.dim > 1 || lut.entry === 'f16' || lut.entry === 'f32');
}

/** To one operation of a value w: rounded to float32 where the matmul takes floats, else exact. */
export function roundingOf(format: WeightFormat): (x: number) => number {
  return takesFloats(format) ? Math.fround : (x) => x;
}

export function floatFormat(float: FloatType): WeightFormat {
  return { bits: 8 * FLOAT_BYTES[float], float };
}

/** The format with scales of another type: config.json says all but that, the tensors do. */
export function withScaleType(format: WeightFormat, dtype: FloatType): WeightFormat {
  return format.scale ? { ...format, scale: { ...format.scale, dtype } } : format;
}

/** The format with so many outliers: config.json does not say that there are any, the tensors do. */
export function withOutliers(format: WeightFormat, count: number): WeightFormat {
  const { outliers: _, ...rest } = format;
  return count === 0 ? rest : { ...rest, outliers: { count } };
}

/** The format with so many weights stored: config.json says that some are, the tensors how many. */
export function withNonZeros(format: WeightFormat, nonZeros: number): WeightFormat {
  return format.sparse ? { ...format, sparse: { nonZeros } } : format;
}
