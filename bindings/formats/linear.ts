// Linear quantization: w = scale * q + bias, or w = scale * (q - 2^(bits - 1)) where no bias is stored.
//
//   <path>.weight  U32 [n, paddedK(k) * bits / 32]   the codes' bit stream
//   <path>.scales  F32, F16, BF16 [n, groups]        one a group of `group_size` weights along k
//   <path>.biases  likewise, unless symmetric

import { unpackBits } from './bits.js';
import type { Codec, FieldReader } from './codec.js';
import { decodeFloats } from './float_bytes.js';
import { groupCount, paddedK, type ScaleFormat, type WeightFormat } from './format.js';
import { dtypeName, type PartShape } from './parts.js';
import { expectOneOf, expectOnlyKeys } from './expect.js';

const KEYS = ['type', 'bits', 'group_size', 'mode', 'symmetric', 'in_features'];
/** Widths and group sizes that run. */
export const LINEAR_BITS: readonly number[] = [4, 8];
export const LINEAR_GROUPS: readonly number[] = [32];
/** Weights along k that share a scale unless a recipe says otherwise. */
export const DEFAULT_GROUP = 32;

/** One scale per row and `group` weights along k. */
export function linearFormat(
  bits: number,
  symmetric: boolean,
  group = DEFAULT_GROUP,
): WeightFormat {
  const scale: ScaleFormat = { rows: 1, k: group, dtype: 'f16' };
  return symmetric ? { bits, scale } : { bits, scale, bias: true };
}

export const linear: Codec = {
  type: 'linear',
  has: ({ float, lut }) => float === undefined && lut === undefined,

  parts(format, n, k): PartShape[] {
    const scale = format.scale!;
    const words = (paddedK(k) * format.bits) / 32;
    const groups = { dtype: dtypeName(scale.dtype), shape: [n, groupCount(scale, k)], serves: 1 };
    return [
      { role: 'codes', suffix: 'weight', dtype: 'U32', shape: [n, words], serves: 1 },
      { role: 'scales', suffix: 'scales', ...groups },
      ...(format.bias ? [{ role: 'biases', suffix: 'biases', ...groups } as const] : []),
    ];
  },

  decode(format, bytes, begin, end, k) {
    const { bits, bias } = format;
    const scale = format.scale!;
    const groups = groupCount(scale, k);
    const scales = decodeFloats(bytes.scales!, scale.dtype);
    const biases = bias
      ? decodeFloats(bytes.biases!, scale.dtype)
      : scales.map((one) => -(2 ** (bits - 1)) * one);
    const stride = paddedK(k);
    const codes = unpackBits(bytes.codes!, bits, (end - begin) * stride);
    const out = new Float64Array((end - begin) * k);
    for (let row = 0; row < end - begin; row++) {
      for (let i = 0; i < k; i++) {
        const group = row * groups + Math.floor(i / scale.k);
        out[row * k + i] = scales[group]! * codes[row * stride + i]! + biases[group]!;
      }
    }
    return out;
  },

  name: ({ bits, bias }) => `int${bits}${bias ? '-asym' : ''}`,

  toJson: ({ bits, scale, bias }) => ({ bits, group_size: scale!.k, symmetric: !bias }),

  parse(fields) {
    expectOnlyKeys(fields, KEYS, 'linear weights');
    if (!fields.has('symmetric')) throw fields.wrong('symmetric', 'true or false');
    return parseAffine(fields, fields.boolean('symmetric', false));
  },
};

/** `bits`, `group_size` and `mode`, in the words that MLX has too. */
export function parseAffine(fields: FieldReader, symmetric: boolean): WeightFormat {
  const group = fields.integer('group_size', 1, Number.MAX_SAFE_INTEGER);
  expectOneOf(fields, 'group_size', group, LINEAR_GROUPS);
  expectOneOf(fields, 'mode', fields.string('mode', 'affine'), ['affine']);
  const bits = fields.integer('bits', 1, 16);
  expectOneOf(fields, 'bits', bits, LINEAR_BITS);
  return linearFormat(bits, symmetric, group);
}
