// The inner loops of sdpa on one tile: a head's 32 positions of a page, K [headDim, 32] and V [32, headDim]
// (kv_page.ts) as f32, and f32 weights [32].

import { PAGE_POSITIONS } from '../op_layout';
import { FLOAT16 } from '../simd';
import { head_bytes } from './kv_page';

/** One head of a page as f32: 8 values a turn. float16 comes out times 2^-112 unless `exact`. */
export function widen<T>(to: usize, from: usize, headDim: u32, exact: bool): void {
  const last = to + head_bytes<f32>(headDim);
  const scale = v128.load(FLOAT16, 16);
  const signless = v128.load(FLOAT16, 32);
  for (; to < last; to += 32, from += 8 * sizeof<T>()) {
    if (sizeof<T>() == 1) {
      const values = v128.load8x8_s(from);
      v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(values)));
      v128.store(to, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(values)), 16);
      continue;
    }
    // The upper half of the f32: sign, then exponent and mantissa three places down; the rest is below.
    const values = v128.load(from);
    const upper = v128.and(i16x8.shr_s(values, 3), signless);
    const lower = i16x8.shl(values, 13);
    const front = i16x8.shuffle(lower, upper, 0, 8, 1, 9, 2, 10, 3, 11);
    const back = i16x8.shuffle(lower, upper, 4, 12, 5, 13, 6, 14, 7, 15);
    v128.store(to, exact ? f32x4.mul(front, scale) : front);
    v128.store(to, exact ? f32x4.mul(back, scale) : back, 16);
  }
}

/** weights[0..31] = q . K * scale for the 32 positions of a page; K f32. Four features a turn. */
export function scores(weights: usize, q: usize, k: usize, headDim: u32, scale: f32): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  for (const end = q + ((<usize>headDim) << 2); q < end; q += 16, k += 4 * (PAGE_POSITIONS << 2)) {
    const features = v128.load(q);
    const q0 = i32x4.shuffle(features, features, 0, 0, 0, 0);
    const q1 = i32x4.shuffle(features, features, 1, 1, 1, 1);
    const q2 = i32x4.shuffle(features, features, 2, 2, 2, 2);
    const q3 = i32x4.shuffle(features, features, 3, 3, 3, 3);
    s0 = f32x4.add(s0, f32x4.mul(q0, v128.load(k)));
    s0 = f32x4.add(s0, f32x4.mul(q1, v128.load(k, 128)));
    s0 = f32x4.add(s0, f32x4.mul(q2, v128.load(k, 256)));
    s0 = f32x4.add(s0, f32x4.mul(q3, v128.load(k, 384)));
    s1 = f32x4.add(s1, f32x4.mul(q0, v128.load(k, 16)));
    s1 = f32x4.add(s1, f32x4.mul(q1, v128.load(k, 144)));
    s1 = f32x4.add(s1, f32x4.mul(q2, v128.load(k, 272)));
    s1 = f32x4.add(s1, f32x4.mul(q3, v128.load(k, 400)));
    s2 = f32x4.add(s2, f32x4.mul(q0, v128.load(k, 32)));
    s2 = f32x4.add(s2, f32x4.mul(q1, v128.load(k, 160)));
    s2 = f32x4.add(s2, f32x4.mul(q2, v128.load(k, 288)));
    s2 = f32x4.add(s2, f32x4.mul(q3, v128.load(k, 416)));
    s3 = f32x4.add(s3, f32x4.mul(q0, v128.load(k, 48)));
    s3 = f32x4.add(s3, f32x4.mul(q1, v128.load(k, 176)));
    s3 = f32x4.add(s3, f32x4.mul(q2, v128.load(k, 304)));
    s3 = f32x4.add(s3, f32x4.mul(q3, v128.load(k, 432)));
    s4 = f32x4.add(s4, f32x4.mul(q0, v128.load(k, 64)));
    s4 = f32x4.add(s4, f32x4.mul(q1, v128.load(k, 192)));
    s4 = f32x4.add(s4, f32x4.mul(q2, v128.load(k, 320)));
    s4 = f32x4.add(s4, f32x4.mul(q3, v128.load(k, 448)));
    s5 = f32x4.add(s5, f32x4.mul(q0, v128.load(k, 80)));
    s5 = f32x4.add(s5, f32x4.mul(q1, v128.load(k, 208)));
    s5 = f32x4.add(s5, f32x4.mul(q2, v128.load(k, 336)));
    s5 = f32x4.add(s5, f32x4.mul(q3, v128.load(k, 464)));
    s6 = f32x4.add(s6, f32x4.mul(q0, v128.load(k, 96)));
    s6 = f32x4.add(s6, f32x4.mul(q1, v128.load(k, 224)));
    s6 = f32x4.add(s6, f32x4.mul(q2, v128.load(k, 352)));
    s6 = f32x4.add(s6, f32x4.mul(q3, v128.load(k, 480)));
    s7 = f32x4.add(s7, f32x4.mul(q0, v128.load(k, 112)));
    s7 = f32x4.add(s7, f32x4.mul(q1, v128.load(k, 240)));
    s7 = f32x4.add(s7, f32x4.mul(q2, v128.load(k, 368)));
    s7 = f32x4.add(s7, f32x4.mul(q3, v128.load(k, 496)));
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

/**
 * values = values * keep + sum over positions [first, last), ascending, of weight * V. 32 features at a time:
 * eight sums hide the latency of the additions.
 */
export function add_values(
  values: usize,
  weights: usize,
  v: usize,
  headDim: u32,
  keep: f32,
  first: u32,
  last: u32,
): void {
  const stride = (<usize>headDim) << 2;
  const kept = f32x4.splat(keep);
  v += first * stride;
  const weightsEnd = weights + (last << 2);
  weights += first << 2;
  let d: u32 = 0;
  for (; d + 32 <= headDim; d += 32, values += 128, v += 128) {
    let s0 = f32x4.mul(v128.load(values), kept);
    let s1 = f32x4.mul(v128.load(values, 16), kept);
    let s2 = f32x4.mul(v128.load(values, 32), kept);
    let s3 = f32x4.mul(v128.load(values, 48), kept);
    let s4 = f32x4.mul(v128.load(values, 64), kept);
    let s5 = f32x4.mul(v128.load(values, 80), kept);
    let s6 = f32x4.mul(v128.load(values, 96), kept);
    let s7 = f32x4.mul(v128.load(values, 112), kept);
    for (let w = weights, from = v; w < weightsEnd; w += 4, from += stride) {
      const weight = v128.load32_splat(w);
      s0 = f32x4.add(s0, f32x4.mul(weight, v128.load(from)));
      s1 = f32x4.add(s1, f32x4.mul(weight, v128.load(from, 16)));
      s2 = f32x4.add(s2, f32x4.mul(weight, v128.load(from, 32)));
      s3 = f32x4.add(s3, f32x4.mul(weight, v128.load(from, 48)));
      s4 = f32x4.add(s4, f32x4.mul(weight, v128.load(from, 64)));
      s5 = f32x4.add(s5, f32x4.mul(weight, v128.load(from, 80)));
      s6 = f32x4.add(s6, f32x4.mul(weight, v128.load(from, 96)));
      s7 = f32x4.add(s7, f32x4.mul(weight, v128.load(from, 112)));
    }
    v128.store(values, s0);
    v128.store(values, s1, 16);
    v128.store(values, s2, 32);
    v128.store(values, s3, 48);
    v128.store(values, s4, 64);
    v128.store(values, s5, 80);
    v128.store(values, s6, 96);
    v128.store(values, s7, 112);
  }
  for (; d < headDim; d += 4, values += 16, v += 16) {
    let sum = f32x4.mul(v128.load(values), kept);
    for (let w = weights, from = v; w < weightsEnd; w += 4, from += stride) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w), v128.load(from)));
    }
    v128.store(values, sum);
  }
}
