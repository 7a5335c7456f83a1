// Scales of two levels (formats/scales.ts): those that a fit chose become int8 counts of a step for every 256 weights,
// and the codes are chosen anew for what is left of them.

import { f16ToF32, f32ToF16 } from '../../formats/float16.js';
import { groupCount, paddedK, type WeightFormat } from '../../formats/format.js';
import { stepCount } from '../../formats/scales.js';
import type { FittedStrip, Floats } from './fit.js';

const MOST = 127;

/** Values of groups as counts of steps. */
interface Levels {
  /** [rows, groups] */
  readonly counts: Int8Array;
  /** [rows, steps] */
  readonly steps: Float32Array;
  /** [rows, groups]: step * count, rounded to float32 */
  readonly values: Float32Array;
}

/**
 * The strip with scales and biases in two levels.
 * @param weights [rows, k]
 * @param fitted codes one a byte, scales and biases of one level
 */
export function inTwoLevels(
  weights: Floats,
  k: number,
  format: WeightFormat,
  fitted: { readonly scales: Float32Array; readonly biases?: Float32Array },
): FittedStrip {
  const rows = weights.length / k;
  const scales = levelsOf(fitted.scales, rows, k, format);
  const biases = fitted.biases && levelsOf(fitted.biases, rows, k, format);
  const { bits } = format;
  const last = 2 ** bits - 1;
  const zero = biases ? 0 : 2 ** (bits - 1);
  const stride = paddedK(k);
  const groups = groupCount(format.scale!, k);
  const codes = new Uint8Array(rows * stride);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < k; i++) {
      const group = row * groups + Math.floor(i / format.scale!.k);
      const scale = scales.values[group]!;
      const rest = weights[row * k + i]! - (biases ? biases.values[group]! : 0);
      const q = scale === 0 ? zero : Math.floor(rest / scale + 0.5) + zero;
      codes[row * stride + i] = Math.max(0, Math.min(last, q));
    }
  }
  return {
    codes,
    scales: scales.counts,
    scaleSteps: scales.steps,
    ...(biases && { biases: biases.counts, biasSteps: biases.steps }),
    inHalf: [scales, biases].every((levels) => levels?.steps.every(isHalf) ?? true),
  };
}

function levelsOf(of: Float32Array, rows: number, k: number, { scale }: WeightFormat): Levels {
  const groups = groupCount(scale!, k);
  const perStep = scale!.super! / scale!.k;
  const stepsOfRow = stepCount(scale!, k);
  const steps = new Float32Array(rows * stepsOfRow);
  const counts = new Int8Array(of.length);
  const values = new Float32Array(of.length);
  for (let at = 0; at < steps.length; at++) {
    const first = Math.floor(at / stepsOfRow) * groups + (at % stepsOfRow) * perStep;
    const end = Math.min(first + perStep, (Math.floor(at / stepsOfRow) + 1) * groups);
    const most = of.subarray(first, end).reduce((max, x) => Math.max(max, Math.abs(x)), 0);
    const half = f16ToF32(f32ToF16(most / MOST));
    // Of steps that float16 does not hold, float32 ones.
    const step = Number.isFinite(half) && half > 0 ? half : Math.fround(most / MOST);
    steps[at] = step;
    if (step === 0) continue;
    for (let i = first; i < end; i++) {
      counts[i] = Math.max(-MOST, Math.min(MOST, Math.floor(of[i]! / step + 0.5)));
      values[i] = step * counts[i]!;
    }
  }
  return { counts, steps, values };
}

function isHalf(step: number): boolean {
  return f16ToF32(f32ToF16(step)) === step;
}
