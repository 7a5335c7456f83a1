// The entries of a palette's tables, checked wherever they are read.

import { FormatError } from '../errors.js';
import { wrongEntry } from '../formats/lut_entry.js';
import { rowBytes } from '../formats/parts.js';
import { partOf, type Weight } from './weight.js';

/**
 * @param bytes of whole tables, the first being that of row `row`
 * @throws FormatError naming the tensor and the table with an entry that its format does not have
 */
export function checkTables(weight: Weight, row: number, bytes: Uint8Array): void {
  const part = partOf(weight, 'lut');
  const size = rowBytes(part);
  for (let i = 0; i < bytes.length; i += size) {
    const wrong = wrongEntry(bytes.subarray(i, i + size), weight.format.lut!.entry);
    if (wrong === null) continue;
    const table = Math.floor(row / part.serves) + i / size;
    throw new FormatError(
      `[${part.source.name}] ${part.name}: ${wrong.came} in table ${table}, expected ${wrong.expected}`,
    );
  }
}
