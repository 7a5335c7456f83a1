// Outliers: what codes lack of the few weights that are far larger than the rest of their row, as a sparse matrix
// beside the dense one (SqueezeLLM, arXiv 2306.07629): w = the value of its code + value.
//
//   <path>.outlier_rows     U32 [count]   ascending
//   <path>.outlier_columns  U16 [count]   ascending within a row
//   <path>.outlier_values   F16 [count]

import type { Codec } from './codec.js';
import { decodeFloats } from './float_bytes.js';
import { ALL, type WeightFormat } from './format.js';
import type { PartBytes, PartShape } from './parts.js';

/** Weights along k that a column can name. */
export const MAX_OUTLIER_K = 1 << 16;

const SHAPES = [
  { role: 'outlierRows', suffix: 'outlier_rows', dtype: 'U32' },
  { role: 'outlierColumns', suffix: 'outlier_columns', dtype: 'U16' },
  { role: 'outlierValues', suffix: 'outlier_values', dtype: 'F16' },
] as const;

const SUFFIXES: readonly string[] = SHAPES.map(({ suffix }) => suffix);
/** The tensor whose length is their count. */
export const OUTLIER_VALUES = SHAPES[2].suffix;

/** All of a weight. */
export interface Outliers {
  readonly rows: ArrayLike<number>;
  readonly columns: ArrayLike<number>;
  readonly values: ArrayLike<number>;
}

/** The codec of a family, of weights with outliers too. */
export function withOutlierParts(codec: Codec): Codec {
  return {
    ...codec,
    suffixes: [...codec.suffixes, ...SUFFIXES],
    parts: (format, n, k) => [...codec.parts(format, n, k), ...outlierParts(format)],
    decode(format, bytes, begin, end, k) {
      const out = codec.decode(format, bytes, begin, end, k);
      if (format.outliers) addOutliers(out, decodeOutliers(bytes), begin, end, k);
      return out;
    },
    name: (format) => `${codec.name(format)}${format.outliers ? '-outliers' : ''}`,
  };
}

function outlierParts({ outliers }: WeightFormat): PartShape[] {
  if (!outliers) return [];
  return SHAPES.map((shape) => ({ ...shape, shape: [outliers.count], serves: ALL }));
}

/** @param bytes of all three parts */
export function decodeOutliers(bytes: PartBytes): Outliers {
  const rows = view(bytes.outlierRows!);
  const columns = view(bytes.outlierColumns!);
  return {
    rows: Uint32Array.from({ length: rows.byteLength / 4 }, (_, i) => rows.getUint32(4 * i, true)),
    columns: Uint16Array.from({ length: columns.byteLength / 2 }, (_, i) => {
      return columns.getUint16(2 * i, true);
    }),
    values: decodeFloats(bytes.outlierValues!, 'f16'),
  };
}

function view({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}

/** Adds those of rows [begin, end) to `out` [end - begin, k]. */
function addOutliers(
  out: Float64Array,
  { rows, columns, values }: Outliers,
  begin: number,
  end: number,
  k: number,
): void {
  for (let i = firstFrom(rows, begin); i < rows.length && rows[i]! < end; i++) {
    out[(rows[i]! - begin) * k + columns[i]!]! += values[i]!;
  }
}

/** Index of the first of ascending numbers that is at least `least`. */
function firstFrom(numbers: ArrayLike<number>, least: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < least) low = middle + 1;
    else high = middle;
  }
  return low;
}
