// From the scores of a tile, f32 [32], to softmax weights.

import { PAGE_POSITIONS } from '../op_layout';
import { exp4, max4, sum4 } from '../simd';

/** weights *= factors, 32 of each. */
export function multiply(weights: usize, factors: usize): void {
  for (let i: usize = 0; i < 128; i += 16) {
    v128.store(weights + i, f32x4.mul(v128.load(weights + i), v128.load(factors + i)));
  }
}

/** Sets weights outside [first, last) to -Infinity; returns the largest inside. */
export function mask_and_max(weights: usize, first: u32, last: u32): f32 {
  for (let i: u32 = 0; i < first; i++) store<f32>(weights + (i << 2), -Infinity);
  for (let i = last; i < <u32>PAGE_POSITIONS; i++) store<f32>(weights + (i << 2), -Infinity);
  let largest = v128.load(weights);
  for (let i: usize = 16; i < 128; i += 16) largest = f32x4.pmax(largest, v128.load(weights + i));
  return max4(largest);
}

/** weights = factor * e^(weights - largest), 0 where masked; returns the sum of the powers. factor: a power of 2. */
export function exponentials(weights: usize, largest: f32, factor: f32): f32 {
  let sums = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const e = exp4(f32x4.sub(v128.load(weights + i), f32x4.splat(largest)));
    v128.store(weights + i, f32x4.mul(e, f32x4.splat(factor)));
    sums = f32x4.add(sums, e);
  }
  return sum4(sums);
}
