// Linear quantization: w = scale * q + bias, or w = scale * (q - 2^(bits - 1)) where no bias is stored. With float
// activations product and sum are rounded to f32 one after the other.
//
//   <path>.weight  U32 [n, paddedK(k) * bits / 32]   the codes' bit stream
//   <path>.scales  [n, groups] (scales.ts)           one a group of `group_size` weights along k, or of a row;
//                  [1]                               where all weights share one
//   <path>.biases  likewise, unless symmetric

import { FLOATS_NAME, parseActivations } from './activations.js';
import { unpackBits } from './bits.js';
import type { Codec, FieldReader } from './codec.js';
import { expectOneOf, expectOnlyKeys } from './expect.js';
import {
  ALL,
  groupCount,
  paddedK,
  roundingOf,
  type ScaleFormat,
  type WeightFormat,
} from './format.js';
import type { PartShape } from './parts.js';
import { decodeGroups, GROUP_SUFFIXES, groupParts } from './scales.js';

const KEYS = [
  'type',
  'bits',
  'granularity',
  'group_size',
  'mode',
  'symmetric',
  'activations',
  'in_features',
];
/** Widths that run. */
export const LINEAR_BITS: readonly number[] = [1, 2, 3, 4, 5, 6, 8];
/** Weights along k that may share a scale, where it is not all of a row. */
export const LINEAR_GROUPS: readonly number[] = [16, 32, 64, 128];
/** Unless a recipe says otherwise. */
export const DEFAULT_GROUP = 32;

/** Core ML's words for what shares a scale. */
export const GRANULARITIES = ['per_block', 'per_channel', 'per_tensor'] as const;
export type Granularity = (typeof GRANULARITIES)[number];

/** @param group weights along k that share a scale; only of granularity `per_block` */
export function linearFormat(
  bits: number,
  symmetric: boolean,
  group = DEFAULT_GROUP,
  granularity: Granularity = 'per_block',
): WeightFormat {
  const scale: ScaleFormat = {
    rows: granularity === 'per_tensor' ? ALL : 1,
    k: granularity === 'per_block' ? group : ALL,
    dtype: 'f16',
  };
  return symmetric ? { bits, scale } : { bits, scale, bias: true };
}

function granularityOf({ rows, k }: ScaleFormat): Granularity {
  if (k !== ALL) return 'per_block';
  return rows === ALL ? 'per_tensor' : 'per_channel';
}

export const linear: Codec = {
  type: 'linear',
  suffixes: ['weight', ...GROUP_SUFFIXES],
  has: ({ float, lut }) => float === undefined && lut === undefined,

  parts(format, n, k): PartShape[] {
    const scale = format.scale!;
    const words = (paddedK(k) * format.bits) / 32;
    return [
      { role: 'codes', suffix: 'weight', dtype: 'U32', shape: [n, words], serves: 1 },
      ...groupParts('scales', scale, n, k),
      ...(format.bias ? groupParts('biases', scale, n, k) : []),
    ];
  },

  decode(format, bytes, begin, end, k) {
    const { bits } = format;
    const scale = format.scale!;
    const groups = groupCount(scale, k);
    const scales = decodeGroups('scales', scale, bytes, k);
    const biases = format.bias && decodeGroups('biases', scale, bytes, k);
    const zero = biases ? 0 : 2 ** (bits - 1);
    const round = roundingOf(format);
    const stride = paddedK(k);
    const codes = unpackBits(bytes.codes!, bits, (end - begin) * stride);
    const out = new Float64Array((end - begin) * k);
    for (let row = 0; row < end - begin; row++) {
      const first = scale.rows === ALL ? 0 : row * groups;
      for (let i = 0; i < k; i++) {
        const group = first + (scale.k === ALL ? 0 : Math.floor(i / scale.k));
        const value = round(scales[group]! * (codes[row * stride + i]! - zero));
        out[row * k + i] = biases ? round(value + biases[group]!) : value;
      }
    }
    return out;
  },

  name({ bits, bias, scale, activations }) {
    const granularity = granularityOf(scale!);
    const group = scale!.k === DEFAULT_GROUP ? '' : `-g${scale!.k}`;
    const shared = granularity === 'per_block' ? group : `-${granularity.replace('per_', '')}`;
    const steps = scale!.super ? '-s8' : '';
    return `int${bits}${bias ? '-asym' : ''}${shared}${steps}${activations ? FLOATS_NAME : ''}`;
  },

  toJson({ bits, scale, bias, activations }) {
    const granularity = granularityOf(scale!);
    const shared = granularity === 'per_block' ? { group_size: scale!.k } : { granularity };
    return { bits, ...shared, symmetric: !bias, ...(activations && { activations }) };
  },

  parse(fields) {
    expectOnlyKeys(fields, KEYS, 'linear weights');
    if (!fields.has('symmetric')) throw fields.wrong('symmetric', 'true or false');
    const symmetric = fields.boolean('symmetric', false);
    const granularity = fields.string('granularity', 'per_block') as Granularity;
    expectOneOf(fields, 'granularity', granularity, GRANULARITIES);
    const format =
      granularity === 'per_block'
        ? parseAffine(fields, symmetric)
        : linearFormat(parseBits(fields), symmetric, undefined, granularity);
    return parseActivations(fields, format);
  },
};

/** `bits`, `group_size` and `mode`, in the words that MLX has too. */
export function parseAffine(fields: FieldReader, symmetric: boolean): WeightFormat {
  const group = fields.integer('group_size', 1, Number.MAX_SAFE_INTEGER);
  expectOneOf(fields, 'group_size', group, LINEAR_GROUPS);
  expectOneOf(fields, 'mode', fields.string('mode', 'affine'), ['affine']);
  return linearFormat(parseBits(fields), symmetric, group);
}

function parseBits(fields: FieldReader): number {
  const bits = fields.integer('bits', 1, 16);
  expectOneOf(fields, 'bits', bits, LINEAR_BITS);
  return bits;
}
