// The nearest entries of a table: middles between integers are halves, so they are looked up by half steps.
//
//   lookup   f32 [4 * (most + 1)]   the entry nearest to [s / 2 - most - 1, s / 2 - most - 0.5)
//            u8 [4 * (most + 1)]    its index
//
// Of w, x = w * norm * inverse is in the table's unit.

import { sum4 } from '../simd';
import { lanes_within, load_within } from './groups';

/** For entries of 8 bits. */
const MOST_STEPS: usize = 512;
const INDICES: usize = 4 * MOST_STEPS;
export const LOOKUP_BYTES: usize = 5 * MOST_STEPS;
/** Vectors whose products are summed in float32. */
const CHUNK: u32 = 256;

/** @param table i8 [count], ascending within most */
export function fill_lookup(table: usize, count: u32, most: i32, lookup: usize): void {
  let index: u32 = 0;
  for (let step: i32 = 0; step < 4 * (most + 1); step++) {
    const doubled = step - 2 * (most + 1);
    while (index + 1 < count && doubled >= load<i8>(table + index) + load<i8>(table + index, 1)) {
      index++;
    }
    store<f32>(lookup + ((<usize>step) << 2), <f32>load<i8>(table + index));
    store<u8>(lookup + step, <u8>index, INDICES);
  }
}

/** Sums over k weights of x * entry and entry^2, to f64 [2]. */
export function measure_row(
  w: usize,
  k: u32,
  norm: f32,
  inverse: f32,
  most: i32,
  lookup: usize,
  sums: usize,
): void {
  let xe: f64 = 0;
  let ee: f64 = 0;
  for (let begin: u32 = 0; begin < k; begin += 4 * CHUNK) {
    const end = min(begin + 4 * CHUNK, k);
    let xeChunk = f32x4.splat(0);
    let eeChunk = f32x4.splat(0);
    for (let i = begin; i < end; i += 4) {
      const x = load_scaled(w, i, k, norm, inverse);
      const steps = steps_of(x, most);
      let e = v128.load32_zero(lookup + (i32x4.extract_lane(steps, 0) << 2));
      e = v128.load32_lane(lookup + (i32x4.extract_lane(steps, 1) << 2), e, 1);
      e = v128.load32_lane(lookup + (i32x4.extract_lane(steps, 2) << 2), e, 2);
      e = v128.load32_lane(lookup + (i32x4.extract_lane(steps, 3) << 2), e, 3);
      e = v128.and(e, lanes_within(i, k));
      xeChunk = f32x4.add(xeChunk, f32x4.mul(x, e));
      eeChunk = f32x4.add(eeChunk, f32x4.mul(e, e));
    }
    xe += <f64>sum4(xeChunk);
    ee += <f64>sum4(eeChunk);
  }
  store<f64>(sums, xe);
  store<f64>(sums, ee, 8);
}

/** Writes the indices of k weights, u8, in whole vectors. */
export function assign_row(
  w: usize,
  k: u32,
  norm: f32,
  inverse: f32,
  most: i32,
  lookup: usize,
  codes: usize,
): void {
  for (let i: u32 = 0; i < k; i += 4) {
    const steps = steps_of(load_scaled(w, i, k, norm, inverse), most);
    store<u8>(codes + i, load<u8>(lookup + i32x4.extract_lane(steps, 0), INDICES));
    store<u8>(codes + i, load<u8>(lookup + i32x4.extract_lane(steps, 1), INDICES), 1);
    store<u8>(codes + i, load<u8>(lookup + i32x4.extract_lane(steps, 2), INDICES), 2);
    store<u8>(codes + i, load<u8>(lookup + i32x4.extract_lane(steps, 3), INDICES), 3);
  }
}

function load_scaled(w: usize, i: u32, k: u32, norm: f32, inverse: f32): v128 {
  return f32x4.mul(f32x4.mul(load_within(w, i, k), f32x4.splat(norm)), f32x4.splat(inverse));
}

function steps_of(x: v128, most: i32): v128 {
  const middle = i32x4.splat(2 * (most + 1));
  const steps = i32x4.trunc_sat_f32x4_s(f32x4.floor(f32x4.add(x, x)));
  const last = i32x4.sub(middle, i32x4.splat(1));
  return i32x4.add(i32x4.max_s(i32x4.min_s(steps, last), i32x4.neg(middle)), middle);
}
