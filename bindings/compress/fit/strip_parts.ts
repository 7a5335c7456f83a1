// What a fitted strip brings to each stored tensor of its weight.

import { encodeFloats } from '../../formats/float_bytes.js';
import type { WeightFormat } from '../../formats/format.js';
import { encodeEntries } from '../../formats/lut_entry.js';
import type { Role } from '../../formats/parts.js';
import type { FittedStrip } from './fit.js';

/** Roles that a strip has values for, codes apart. */
export type ValueRole = Extract<Role, 'scales' | 'scaleSteps' | 'biases' | 'biasSteps' | 'lut'>;

/** @param format with the type that scales, or their steps, are stored in; a role that it has */
export function stripPart(
  strip: Pick<FittedStrip, ValueRole>,
  role: ValueRole,
  format: WeightFormat,
): Uint8Array {
  if (role === 'lut') return encodeEntries(strip.lut!, format.lut!.entry);
  const values = strip[role]!;
  if (values instanceof Float32Array) return encodeFloats(values, format.scale!.dtype);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
