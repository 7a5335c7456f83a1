// Floats of one type from the values of a weight.

import { FormatError } from '../errors.js';
import { decodeFloats, encodeFloats } from '../formats/float_bytes.js';
import type { FloatType } from '../formats/format.js';
import type { Weight } from '../model/weight.js';
import { valueName } from './strips.js';

/**
 * Values rounded to float32, and from there to the nearest of `type`. What is `type` already stays the same bits.
 * @param begin row of the weight that the values begin with
 * @returns the bytes, and how many values of float32 `type` does not hold exactly
 * @throws FormatError naming a value beyond the largest of `type`
 */
export function roundFloats(
  weight: Weight,
  begin: number,
  values: Float64Array,
  type: FloatType,
): { bytes: Uint8Array; rounded: number } {
  const bytes = encodeFloats(values, type);
  let rounded = 0;
  for (const [i, stored] of decodeFloats(bytes, type).entries()) {
    if (!Number.isFinite(stored)) {
      const beyond = `${values[i]} is beyond what ${type} holds`;
      throw new FormatError(`${valueName(weight, begin, i)}: ${beyond}`);
    }
    if (stored !== Math.fround(values[i]!)) rounded++;
  }
  return { bytes, rounded };
}
