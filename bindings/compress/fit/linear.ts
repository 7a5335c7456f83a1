// Linear quantization of groups of weights along k:
//
//   symmetric    w = scale * (q - 2^(bits-1))
//   asymmetric   w = scale * q + bias

import { OptionError, UnsupportedError } from '../../errors.js';
import { groupCount, paddedK, type WeightFormat } from '../../formats/format.js';
import { DEFAULT_GROUP, linearFormat } from '../../formats/linear.js';
import type { Fit, FittedStrip, Floats } from './fit.js';
import { LinearBlock } from './linear_block.js';
import { expectKeys, show } from './options.js';

const KEYS = ['dtype', 'granularity', 'block_size', 'mode'];
const MODES: readonly unknown[] = ['linear_symmetric', 'linear'];
const BITS: Readonly<Record<string, number>> = { int4: 4, int8: 8 };

export const linearFit: Fit = { type: 'linear', parse, run };

function run(weights: Floats, k: number, { bits, scale, bias }: WeightFormat): FittedStrip {
  const rows = weights.length / k;
  const kPadded = paddedK(k);
  const groups = groupCount(scale!, k);
  // Padding takes the level of zero, or of nothing at all.
  const codes = new Uint8Array(rows * kPadded).fill(2 ** (bits - 1));
  const scales = new Float32Array(rows * groups);
  const biases = bias && new Float32Array(rows * groups);
  const block = new LinearBlock(bits, scale!.k);
  let inHalf = true;
  for (let row = 0, g = 0; row < rows; row++) {
    for (let begin = 0; begin < k; begin += scale!.k, g++) {
      const end = Math.min(begin + scale!.k, k);
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

function parse(options: Readonly<Record<string, unknown>>, where: string): WeightFormat {
  expectKeys(options, KEYS, where);
  const dtype = options.dtype ?? 'int8';
  if (typeof dtype !== 'string' || !/^u?int[2-8]$/.test(dtype)) {
    throw new OptionError(`[recipe] ${where}.dtype: expected int4 or int8, came ${show(dtype)}`);
  }
  const bits = BITS[dtype];
  if (bits === undefined) {
    throw new UnsupportedError(`[recipe] ${where}: dtype "${dtype}" is not supported yet`);
  }
  const granularity = options.granularity ?? 'per_block';
  if (granularity !== 'per_block') {
    throw new UnsupportedError(
      `[recipe] ${where}: granularity ${show(granularity)} is not supported yet, per_block is`,
    );
  }
  const blockSize = options.block_size ?? DEFAULT_GROUP;
  if (blockSize !== DEFAULT_GROUP) {
    throw new UnsupportedError(
      `[recipe] ${where}: block_size ${show(blockSize)} is not supported yet, ${DEFAULT_GROUP} is`,
    );
  }
  const mode = options.mode ?? 'linear_symmetric';
  if (!MODES.includes(mode)) {
    throw new OptionError(
      `[recipe] ${where}.mode: expected linear_symmetric or linear, came ${show(mode)}`,
    );
  }
  return linearFormat(bits, mode === 'linear_symmetric');
}
