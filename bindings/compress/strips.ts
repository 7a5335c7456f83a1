// Weights as floats, a strip of rows at a time.

import { FormatError } from '../errors.js';
import { readRows } from '../model/read_rows.js';
import { matrixShape, type Weight } from '../model/weight.js';

/** Floats of a strip: 8 MiB as float64. */
export const STRIP_WEIGHTS = 1 << 20;

/** Rows [begin, end) of a weight. */
export interface Strip {
  readonly begin: number;
  readonly end: number;
  /** [end - begin, k] */
  readonly values: Float64Array;
}

/** Rows of a strip: a multiple of `together`, but for the last one of a weight. */
export function stripRows(weight: Weight, together: number): number {
  const { k } = matrixShape(weight);
  return together * Math.max(1, Math.floor(STRIP_WEIGHTS / (together * k)));
}

/** All rows in strips of a multiple of `together` rows. @throws FormatError for a value that is not finite */
export async function* strips(weight: Weight, together: number): AsyncGenerator<Strip> {
  const { n } = matrixShape(weight);
  const rows = stripRows(weight, together);
  for (let begin = 0; begin < n; begin += rows) {
    const end = Math.min(begin + rows, n);
    yield { begin, end, values: await readFinite(weight, begin, end) };
  }
}

/** Rows [begin, end). @throws FormatError for a value that is not finite */
export async function readFinite(
  weight: Weight,
  begin: number,
  end: number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const values = await readRows(weight, begin, end, signal);
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    const expected = `expected a finite number, came ${values[i]}`;
    throw new FormatError(`${valueName(weight, begin, i)}: ${expected}`);
  }
  return values;
}

/** The i-th value from row `begin` on, for messages. */
export function valueName(weight: Weight, begin: number, i: number): string {
  const { k } = matrixShape(weight);
  const index = begin * k + i;
  const at = weight.shape.length === 2 ? `${Math.floor(index / k)}, ${index % k}` : index;
  return `[${weight.parts[0].source.name}] ${weight.path}.weight[${at}]`;
}
