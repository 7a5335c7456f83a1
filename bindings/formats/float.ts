// Floats as they are: `<path>.weight` F32, F16 or BF16 [n, k].

import type { Codec } from './codec.js';
import { expectOneOf, expectOnlyKeys } from './expect.js';
import { decodeFloats } from './float_bytes.js';
import { type FloatType, floatFormat, type WeightFormat } from './format.js';
import { dtypeName, FLOAT_TYPES, type PartShape } from './parts.js';

export const float: Codec = {
  type: 'float',
  suffixes: ['weight'],
  has: (format) => format.float !== undefined,
  parts(format, n, k): PartShape[] {
    const dtype = dtypeName(typeOf(format));
    return [{ role: 'codes', suffix: 'weight', dtype, shape: [n, k], serves: 1 }];
  },
  decode: (format, bytes) => decodeFloats(bytes.codes!, typeOf(format)),
  name: typeOf,
  toJson: (format) => ({ dtype: typeOf(format) }),
  parse(fields) {
    expectOnlyKeys(fields, ['type', 'dtype'], 'floats');
    const dtype = fields.string('dtype') as FloatType;
    expectOneOf(fields, 'dtype', dtype, [...FLOAT_TYPES.values()]);
    return floatFormat(dtype);
  },
};

function typeOf(format: WeightFormat): FloatType {
  return format.float!;
}
