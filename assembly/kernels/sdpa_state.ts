// What sdpa keeps of a head while it walks the positions, and how tiles and segments enter it.

import { exp1 } from '../simd';
import { exponentials, mask_and_max } from './sdpa_weights';

// The state of a head: five numbers, then its values in the segment.
const SEGMENT_MAX = 0;
const SEGMENT_SUM = 4;
const MAX = 8;
export const SUM = 12;
export const SEGMENT_KEEP = 16; // factor for what the segment has summed before its last tile
export const VALUES = 32;

/** Starts a segment. */
export function clear(state: usize, headDim: u32): void {
  store<f32>(state, -Infinity, SEGMENT_MAX);
  store<f32>(state, 0, SEGMENT_SUM);
  memory.fill(state + VALUES, 0, (<usize>headDim) << 2);
}

/**
 * Scores [32] become softmax weights relative to the segment's largest score so far; those outside
 * [first, last) become 0. They are `factor`, a power of two, times too large. Keeps in the state by what the
 * segment's values so far are to be multiplied.
 */
export function weigh(weights: usize, state: usize, first: u32, last: u32, factor: f32): void {
  const before = load<f32>(state, SEGMENT_MAX);
  const newMax = max2(before, mask_and_max(weights, first, last));
  const keep = exp1(before - newMax);
  const sum = load<f32>(state, SEGMENT_SUM) * keep + exponentials(weights, newMax, factor);
  store<f32>(state, newMax, SEGMENT_MAX);
  store<f32>(state, sum, SEGMENT_SUM);
  store<f32>(state, keep, SEGMENT_KEEP);
}

function max2(a: f32, b: f32): f32 {
  return a > b ? a : b;
}

/** Merges the segment into out, max and sum; the first segment only stores, as out holds no numbers yet. */
export function merge(out: usize, state: usize, headDim: u32, first: bool): void {
  const segmentMax = load<f32>(state, SEGMENT_MAX);
  const before = first ? <f32>-Infinity : load<f32>(state, MAX);
  const newMax = max2(before, segmentMax);
  const keep = exp1(before - newMax);
  const gain = exp1(segmentMax - newMax);
  const sum: f32 = first ? 0 : load<f32>(state, SUM) * keep;
  store<f32>(state, sum + load<f32>(state, SEGMENT_SUM) * gain, SUM);
  store<f32>(state, newMax, MAX);
  let values = state + VALUES;
  for (let d: u32 = 0; d < headDim; d += 4, out += 16, values += 16) {
    const gained = f32x4.mul(v128.load(values), f32x4.splat(gain));
    const kept = first ? f32x4.splat(0) : f32x4.mul(v128.load(out), f32x4.splat(keep));
    v128.store(out, f32x4.add(kept, gained));
  }
}

export function divide(out: usize, headDim: u32, sum: f32): void {
  const divisor = f32x4.splat(sum);
  for (let d: usize = 0; d < headDim; d += 4, out += 16) {
    v128.store(out, f32x4.div(v128.load(out), divisor));
  }
}
