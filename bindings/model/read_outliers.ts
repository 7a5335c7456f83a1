// The outliers of a weight, checked: nothing behind the loader looks where they lie.

import { FormatError } from '../errors.js';
import { decodeOutliers, type Outliers } from '../formats/outliers.js';
import type { PartBytes, Role } from '../formats/parts.js';
import { matrixShape, type Part, type Weight } from './weight.js';

/** @throws FormatError naming the tensor, as `checkOutliers` */
export async function readOutliers(weight: Weight, signal?: AbortSignal): Promise<Outliers> {
  const bytes: Partial<Record<Role, Uint8Array>> = {};
  for (const part of weight.parts) {
    if (!part.role.startsWith('outlier')) continue;
    const into = new Uint8Array(part.bytes);
    await part.source.read(part.offset, into, signal);
    bytes[part.role] = into;
  }
  return checkOutliers(weight, bytes);
}

/**
 * @param bytes of all outliers
 * @throws FormatError unless they stand within the weight, by row, then by column, each place once, and are finite
 */
export function checkOutliers(weight: Weight, bytes: PartBytes): Outliers {
  const { n, k } = matrixShape(weight);
  const outliers = decodeOutliers(bytes);
  const { rows, columns, values } = outliers;
  const wrong = (role: Role, i: number, message: string) => {
    const { source, name } = weight.parts.find((part) => part.role === role) as Part;
    return new FormatError(`[load] ${source.name}: ${name}[${i}]: ${message}`);
  };
  for (let i = 0; i < values.length; i++) {
    const [row, column] = [rows[i]!, columns[i]!];
    if (row >= n) throw wrong('outlierRows', i, `row ${row} of a weight that has ${n}`);
    if (column >= k) throw wrong('outlierColumns', i, `column ${column} of rows of ${k} weights`);
    if (!Number.isFinite(values[i])) {
      throw wrong('outlierValues', i, `expected a finite number, came ${values[i]}`);
    }
    const [lastRow, lastColumn] = i === 0 ? [-1, -1] : [rows[i - 1]!, columns[i - 1]!];
    if (row > lastRow || (row === lastRow && column > lastColumn)) continue;
    const came = `row ${row}, column ${column} behind row ${lastRow}, column ${lastColumn}`;
    throw wrong('outlierRows', i, `expected ascending places, came ${came}`);
  }
  return outliers;
}
