// Linear quantization of groups of weights along k:
//
//   symmetric    w = scale * (q - 2^(bits-1))
//   asymmetric   w = scale * q + bias

import { OptionError } from '../../errors.js';
import { ALL, groupCount, paddedK, type WeightFormat } from '../../formats/format.js';
import {
  DEFAULT_GROUP,
  GRANULARITIES,
  type Granularity,
  LINEAR_BITS,
  LINEAR_GROUPS,
  linearFormat,
} from '../../formats/linear.js';
import { describe } from '../../model/json_fields.js';
import type { Fit, FittedStrip, Floats } from './fit.js';
import { LinearBlock } from './linear_block.js';
import { expectKeys } from './options.js';

const KEYS = ['dtype', 'granularity', 'block_size', 'mode'];
const MODES: readonly unknown[] = ['linear_symmetric', 'linear'];
const DTYPE = /^u?int([1-8])$/;

export const linearFit: Fit = { type: 'linear', parse, run };

function run(weights: Floats, k: number, { bits, scale, bias }: WeightFormat): FittedStrip {
  const rows = weights.length / k;
  if (scale!.rows === ALL) {
    const whole: WeightFormat = { bits, scale: { ...scale!, rows: 1 }, ...(bias && { bias }) };
    return inRows(run(weights, weights.length, whole), rows, k);
  }
  const kPadded = paddedK(k);
  const groups = groupCount(scale!, k);
  const length = scale!.k === ALL ? k : scale!.k;
  // Padding takes the level of zero, or of nothing at all.
  const codes = new Uint8Array(rows * kPadded).fill(2 ** (bits - 1));
  const scales = new Float32Array(rows * groups);
  const biases = bias && new Float32Array(rows * groups);
  const block = new LinearBlock(bits, length);
  let inHalf = true;
  for (let row = 0, g = 0; row < rows; row++) {
    for (let begin = 0; begin < k; begin += length, g++) {
      const end = Math.min(begin + length, k);
      const w = weights.subarray(row * k + begin, row * k + end);
      if (biases) block.fitAffine(w);
      else block.fitSymmetric(w);
      codes.set(block.q.subarray(0, end - begin), row * kPadded + begin);
      scales[g] = block.scale;
      if (biases) biases[g] = block.bias;
      if (!block.inHalf) inHalf = false;
    }
  }
  return biases ? { codes, scales, biases, inHalf } : { codes, scales, inHalf };
}

/** Codes of one long row as rows of k, each padded. */
function inRows(strip: FittedStrip, rows: number, k: number): FittedStrip {
  const codes = new Uint8Array(rows * paddedK(k));
  for (let row = 0; row < rows; row++) {
    codes.set(strip.codes.subarray(row * k, (row + 1) * k), row * paddedK(k));
  }
  return { ...strip, codes };
}

function parse(options: Readonly<Record<string, unknown>>, where: string): WeightFormat {
  expectKeys(options, KEYS, where);
  const { dtype = 'int8', granularity = 'per_block', mode = 'linear_symmetric' } = options;
  const wrong = (key: string, expected: string, came: unknown) =>
    new OptionError(`[recipe] ${where}.${key}: expected ${expected}, came ${describe(came)}`);
  const bits = typeof dtype === 'string' ? Number(DTYPE.exec(dtype)?.[1]) : Number.NaN;
  if (!LINEAR_BITS.includes(bits)) {
    throw wrong('dtype', `int of ${LINEAR_BITS.join(', ')} bits, signed or not`, dtype);
  }
  if (!MODES.includes(mode)) throw wrong('mode', 'linear_symmetric or linear', mode);
  const symmetric = mode === 'linear_symmetric';
  if (bits === 1 && symmetric) throw wrong('mode', 'linear at 1 bit, which has no middle', mode);
  if (!GRANULARITIES.includes(granularity as Granularity)) {
    throw wrong('granularity', GRANULARITIES.join(', '), granularity);
  }
  if (granularity !== 'per_block') {
    if (options.block_size === undefined) {
      return linearFormat(bits, symmetric, undefined, granularity as Granularity);
    }
    throw wrong('block_size', `nothing with granularity ${granularity}`, options.block_size);
  }
  const group = options.block_size ?? DEFAULT_GROUP;
  if (!LINEAR_GROUPS.includes(group as number)) {
    throw wrong('block_size', LINEAR_GROUPS.join(', '), group);
  }
  return linearFormat(bits, symmetric, group as number);
}
