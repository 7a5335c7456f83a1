// Stored weights as float64 values.

import { OptionError } from '../errors.js';
import { codecOf } from '../formats/codecs.js';
import type { PartBytes } from '../formats/parts.js';
import { checkTables } from './check_tables.js';
import { checkOutliers } from './read_outliers.js';
import { readRowBytes } from './row_bytes.js';
import { matrixShape, type Weight } from './weight.js';

/**
 * Rows [begin, end) of a weight [n, k], dequantized: [end - begin, k]. A vector [n] is n rows of
 * one. Reads only the bytes of those rows.
 * @throws OptionError for rows outside the weight; what `checkOutliers` and `checkTables` throw
 */
export async function readRows(
  weight: Weight,
  begin: number,
  end: number,
  signal?: AbortSignal,
): Promise<Float64Array> {
  const { n, k } = matrixShape(weight);
  if (!(begin >= 0 && begin <= end && end <= n)) {
    throw new OptionError(`[${weight.path}] rows ${begin} to ${end} wanted, it has ${n}`);
  }
  const bytes = await readBytes(weight, begin, end, signal);
  if (weight.format.outliers) checkOutliers(weight, bytes);
  if (bytes.lut) checkTables(weight, begin, bytes.lut);
  return codecOf(weight.format).decode(weight.format, bytes, begin, end, k);
}

/** The bytes of every part that rows [begin, end) need. */
export function readBytes(
  weight: Weight,
  begin: number,
  end: number,
  signal?: AbortSignal,
): Promise<PartBytes> {
  return readRowBytes(weight, begin, end, (_, from, to) => new Uint8Array(to - from), signal);
}
