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
import { withSteps } from '../../formats/scales.js';
import { describe } from '../../model/json_fields.js';
import type { Fit, FittedStrip, Floats } from './fit.js';
import type { FitCore } from './fit_core.js';
import { expectKeys } from './options.js';
import { inTwoLevels } from './two_levels.js';

const KEYS = ['dtype', 'granularity', 'block_size', 'mode', 'scale_dtype'];
const MODES: readonly unknown[] = ['linear_symmetric', 'linear'];
const DTYPE = /^u?int([1-8])$/;

/** Scales of one level. */
export interface FittedGroups extends FittedStrip {
  readonly scales: Float32Array;
  readonly biases?: Float32Array;
}

export const linearFit: Fit = {
  type: 'linear',
  parse: (options, where) => ({ format: parse(options, where) }),
  run,
};

function run(weights: Floats, k: number, format: WeightFormat, core: FitCore): FittedStrip {
  if (!format.scale!.super) return search(weights, k, format, core);
  // The search may move the memory that the weights lie in.
  const kept = weights.slice();
  return inTwoLevels(kept, k, format, search(weights, k, format, core));
}

function search(weights: Floats, k: number, format: WeightFormat, core: FitCore): FittedGroups {
  return fitGroups(weights, k, format, core, (shape, [codes, stride, scales, biases]) => {
    const group = shape[3];
    const scratch = core.place(core.run.scratch_bytes(group));
    return format.bias
      ? core.run.fit_affine(...shape, codes, stride, scales, biases, scratch)
      : core.run.fit_symmetric(...shape, codes, stride, scales, scratch);
  });
}

/** Address of weights [rows, k], weights of a group, bits of a code. */
type Shape = readonly [weights: number, rows: number, k: number, group: number, bits: number];
type Results = readonly [codes: number, stride: number, scales: number, biases: number];

/** Calls with addresses for the results, and copies them. @param call returns 1 if float16 holds all scales, else 0 */
export function fitGroups(
  weights: Floats,
  k: number,
  { bits, scale, bias }: WeightFormat,
  core: FitCore,
  call: (shape: Shape, results: Results) => number,
): FittedGroups {
  const rows = weights.length / k;
  if (scale!.rows === ALL) {
    const whole: WeightFormat = { bits, scale: { ...scale!, rows: 1 }, ...(bias && { bias }) };
    return inRows(fitGroups(weights, weights.length, whole, core, call), rows, k);
  }
  const stride = paddedK(k);
  const groups = rows * groupCount(scale!, k);
  const group = scale!.k === ALL ? k : scale!.k;
  const w = core.begin(weights);
  const codes = core.place(rows * stride);
  const scales = core.place(4 * groups);
  const biases = core.place(4 * groups);
  const inHalf = call([w, rows, k, group, bits], [codes, stride, scales, biases]);
  return {
    codes: core.bytes(codes, rows * stride),
    scales: core.floats(scales, groups),
    ...(bias && { biases: core.floats(biases, groups) }),
    inHalf: inHalf === 1,
  };
}

/** Codes of one long row as rows of k, each padded. */
function inRows(strip: FittedGroups, rows: number, k: number): FittedGroups {
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
  const { scale_dtype: scales } = options;
  if (scales !== undefined && (scales !== 'int8' || granularity !== 'per_block')) {
    throw wrong('scale_dtype', '"int8", and granularity per_block', scales);
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
  const format = linearFormat(bits, symmetric, group as number);
  return scales === 'int8' ? withSteps(format) : format;
}
