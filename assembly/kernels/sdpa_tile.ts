// The inner loops of sdpa on one tile: a head's 32 positions of a page, K [headDim, 32] and V [32, headDim] of
// type T (kv_page.ts), and f32 weights [32].

import { PAGE_POSITIONS } from '../op_layout';
import { exp4, load4, max4, sum4 } from '../simd';
import { head_bytes } from './kv_page';

/** One head of a page as f32. */
export function widen<T>(to: usize, from: usize, headDim: u32): void {
  for (const last = to + head_bytes<f32>(headDim); to < last; to += 16, from += 4 * sizeof<T>()) {
    v128.store(to, load4<T>(from));
  }
}

/** weights[0..31] = q . K * scale for the 32 positions of a page. */
export function scores<T>(weights: usize, q: usize, k: usize, headDim: u32, scale: f32): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  for (
    const end = q + ((<usize>headDim) << 2);
    q < end;
    q += 4, k += PAGE_POSITIONS * sizeof<T>()
  ) {
    const qd = v128.load32_splat(q);
    s0 = f32x4.add(s0, f32x4.mul(qd, load4<T>(k)));
    s1 = f32x4.add(s1, f32x4.mul(qd, load4<T>(k + 4 * sizeof<T>())));
    s2 = f32x4.add(s2, f32x4.mul(qd, load4<T>(k + 8 * sizeof<T>())));
    s3 = f32x4.add(s3, f32x4.mul(qd, load4<T>(k + 12 * sizeof<T>())));
    s4 = f32x4.add(s4, f32x4.mul(qd, load4<T>(k + 16 * sizeof<T>())));
    s5 = f32x4.add(s5, f32x4.mul(qd, load4<T>(k + 20 * sizeof<T>())));
    s6 = f32x4.add(s6, f32x4.mul(qd, load4<T>(k + 24 * sizeof<T>())));
    s7 = f32x4.add(s7, f32x4.mul(qd, load4<T>(k + 28 * sizeof<T>())));
  }
  const factor = f32x4.splat(scale);
  v128.store(weights, f32x4.mul(s0, factor));
  v128.store(weights, f32x4.mul(s1, factor), 16);
  v128.store(weights, f32x4.mul(s2, factor), 32);
  v128.store(weights, f32x4.mul(s3, factor), 48);
  v128.store(weights, f32x4.mul(s4, factor), 64);
  v128.store(weights, f32x4.mul(s5, factor), 80);
  v128.store(weights, f32x4.mul(s6, factor), 96);
  v128.store(weights, f32x4.mul(s7, factor), 112);
}

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
  for (let i: usize = 16; i < 128; i += 16) largest = f32x4.max(largest, v128.load(weights + i));
  return max4(largest);
}

/** weights = e^(weights - largest), 0 where masked; returns their sum. */
export function exponentials(weights: usize, largest: f32): f32 {
  let sums = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const e = exp4(f32x4.sub(v128.load(weights + i), f32x4.splat(largest)));
    v128.store(weights + i, e);
    sums = f32x4.add(sums, e);
  }
  return sum4(sums);
}

/**
 * values = values * keep + sum over positions [first, last), ascending, of weight * V. 16 features at a time:
 * four sums hide the latency of the additions.
 */
export function add_values<T>(
  values: usize,
  weights: usize,
  v: usize,
  headDim: u32,
  keep: f32,
  first: u32,
  last: u32,
): void {
  const stride = <usize>headDim * sizeof<T>();
  const kept = f32x4.splat(keep);
  v += first * stride;
  const weightsEnd = weights + (last << 2);
  weights += first << 2;
  let d: u32 = 0;
  for (; d + 16 <= headDim; d += 16, values += 64, v += 16 * sizeof<T>()) {
    let s0 = f32x4.mul(v128.load(values), kept);
    let s1 = f32x4.mul(v128.load(values, 16), kept);
    let s2 = f32x4.mul(v128.load(values, 32), kept);
    let s3 = f32x4.mul(v128.load(values, 48), kept);
    for (let w = weights, from = v; w < weightsEnd; w += 4, from += stride) {
      const weight = v128.load32_splat(w);
      s0 = f32x4.add(s0, f32x4.mul(weight, load4<T>(from)));
      s1 = f32x4.add(s1, f32x4.mul(weight, load4<T>(from + 4 * sizeof<T>())));
      s2 = f32x4.add(s2, f32x4.mul(weight, load4<T>(from + 8 * sizeof<T>())));
      s3 = f32x4.add(s3, f32x4.mul(weight, load4<T>(from + 12 * sizeof<T>())));
    }
    v128.store(values, s0);
    v128.store(values, s1, 16);
    v128.store(values, s2, 32);
    v128.store(values, s3, 48);
  }
  for (; d < headDim; d += 4, values += 16, v += 4 * sizeof<T>()) {
    let sum = f32x4.mul(v128.load(values), kept);
    for (let w = weights, from = v; w < weightsEnd; w += 4, from += stride) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w), load4<T>(from)));
    }
    v128.store(values, sum);
  }
}
