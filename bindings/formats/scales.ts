// Scales and biases of groups, which come in one level or in two. Of two, a scale is an int8 count of steps, and
// `super` weights along k share a step: scale = step * count. So GGUF's K types have their scales. With float16 steps
// the product is exact in float32.
//
//   <path>.scales       F32, F16, BF16; or I8               [n, groups]
//   <path>.scale_steps  F32, F16, BF16 [n, ceil(k / 256)]   only with I8
//   <path>.biases, .bias_steps                              likewise

import { decodeFloats } from './float_bytes.js';
import { ALL, groupCount, type ScaleFormat, type WeightFormat } from './format.js';
import { dtypeName, type PartBytes, type PartShape } from './parts.js';

/** Weights along k that share a step, as in GGUF's K types. */
export const STEP_WEIGHTS = 256;

const STEPS = {
  scales: { role: 'scaleSteps', suffix: 'scale_steps' },
  biases: { role: 'biasSteps', suffix: 'bias_steps' },
} as const;
type GroupRole = keyof typeof STEPS;

/** Of all stored tensors that groups may have. */
export const GROUP_SUFFIXES: readonly string[] = Object.entries(STEPS).flatMap(
  ([counts, { suffix }]) => [counts, suffix],
);

/** Whether scales may come in two levels: those of linear weights in groups may, without a mask. */
export function mayHaveSteps({ lut, scale, sparse }: WeightFormat): boolean {
  if (lut || sparse) return false;
  return scale !== undefined && scale.rows === 1 && scale.k !== ALL;
}

/** The format with scales of two levels. */
export function withSteps(format: WeightFormat): WeightFormat {
  return { ...format, scale: { ...format.scale!, super: STEP_WEIGHTS } };
}

/** Steps of one row of `k` weights. */
export function stepCount({ super: weights = 0 }: ScaleFormat, k: number): number {
  return weights === 0 ? 0 : Math.ceil(k / weights);
}

/** The stored tensors of the scales (or biases) of a weight [n, k]. */
export function groupParts(role: GroupRole, scale: ScaleFormat, n: number, k: number): PartShape[] {
  const dtype = dtypeName(scale.dtype);
  if (scale.rows === ALL) return [{ role, suffix: role, dtype, shape: [1], serves: n }];
  const shape = [n, groupCount(scale, k)];
  if (!scale.super) return [{ role, suffix: role, dtype, shape, serves: 1 }];
  return [
    { role, suffix: role, dtype: 'I8', shape, serves: 1 },
    { ...STEPS[role], dtype, shape: [n, stepCount(scale, k)], serves: 1 },
  ];
}

/** The scales (or biases) of rows of `k` weights, in the order of the file. */
export function decodeGroups(
  role: GroupRole,
  scale: ScaleFormat,
  bytes: PartBytes,
  k: number,
): Float64Array {
  if (!scale.super) return decodeFloats(bytes[role]!, scale.dtype);
  const steps = decodeFloats(bytes[STEPS[role].role]!, scale.dtype);
  const groups = groupCount(scale, k);
  const perStep = scale.super / scale.k;
  return Float64Array.from(Int8Array.from(bytes[role]!), (count, i) => {
    const step = Math.floor(i / groups) * stepCount(scale, k) + Math.floor((i % groups) / perStep);
    return Math.fround(count * steps[step]!);
  });
}
