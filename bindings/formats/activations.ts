// What a matmul may take its input as, in the words of config.json and of recipes.

import type { FieldReader } from './codec.js';
import { expectOneOf } from './expect.js';
import { takesFloats, type WeightFormat } from './format.js';

type Activations = 'int8' | 'float';

/** Behind the name of a format whose matmul would take int8. */
export const FLOATS_NAME = '-a32';

/** What the matmul of a format may be told to take: floats, or unless its values are floats, int8 per block of 32. */
export function activationsOf(format: WeightFormat): readonly Activations[] {
  return takesFloats(format) ? ['float'] : ['int8', 'float'];
}

/** The format with float activations; what takes floats anyway has nothing to say of it. */
export function withFloats(format: WeightFormat): WeightFormat {
  return takesFloats(format) ? format : { ...format, activations: 'float' };
}

/** The format with the field `activations`. @throws UnsupportedError for a word that the format does not run with */
export function parseActivations(fields: FieldReader, format: WeightFormat): WeightFormat {
  if (!fields.has('activations')) return format;
  const came = fields.string('activations');
  expectOneOf<string>(fields, 'activations', came, activationsOf(format));
  return came === 'float' ? withFloats(format) : format;
}
