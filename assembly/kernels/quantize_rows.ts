// x as int8 blocks: per row and block of 32 along k,
//
//   scale = max|x| / 127,  q = round half even(x * (127 / max|x|)),  sum = sum of the 32 q
//
//   q      i8  [blocks, rows, 32]   block-major, so that a matmul reads the rows of a block in a run
//   scales f32 [blocks, rows]
//   sums   i32 [blocks, rows]
//   x      f32 [rows, k]            blocks = ceil(k / 32); q is zero beyond k
//
// Quantizes rows [begin, end). A block whose largest value is below 2^-100 becomes zeros with scale 0:
// 127 / max would overflow. Infinity or NaN in a block makes its scale NaN, and with it the outputs: the q of
// such a value depend on the sign of a NaN, which processors choose differently.

import { BLOCK } from '../op_layout';
import { TINY } from '../simd';

export function quantize_rows(
  q: usize,
  scales: usize,
  sums: usize,
  x: usize,
  rows: u32,
  k: u32,
  begin: u32,
  end: u32,
): void {
  const whole = k / BLOCK;
  for (let row = begin; row < end; row++) {
    const xr = x + ((<usize>row * k) << 2);
    for (let b: u32 = 0; b < whole; b++) {
      const at = <usize>b * rows + row;
      const to = q + (at << 5);
      const sum = quantize_block(to, scales + (at << 2), xr + ((<usize>b) << 7));
      store<i32>(sums + (at << 2), sum);
    }
    if (whole * BLOCK < k) {
      const at = <usize>whole * rows + row;
      const to = q + (at << 5);
      const sum = quantize_tail(
        to,
        scales + (at << 2),
        xr + ((<usize>whole) << 7),
        k - whole * BLOCK,
      );
      store<i32>(sums + (at << 2), sum);
    }
  }
}

/** 1.5 * 2^23: added to a small float it rounds it half to even and leaves the integer in the low bits. */
const ROUND: f32 = 12582912.0;

/** Four values at `x`, scaled and rounded to i32x4. */
function round4(x: usize, inverse: v128, round: v128): v128 {
  return i32x4.sub(f32x4.add(f32x4.mul(v128.load(x), inverse), round), round);
}

/** Magnitudes of four floats, whose bits are in the same order as they are; NaN above all. */
function magnitude4(x: usize, signless: v128): v128 {
  return v128.and(v128.load(x), signless);
}

function scale_of(largest: f32): f32 {
  if (largest < TINY) return 0;
  return largest - largest == 0 ? largest / 127 : NaN;
}

/** The largest of four magnitudes, as a float. */
function largest_of(magnitudes: v128): f32 {
  let max = i32x4.max_s(magnitudes, i32x4.shuffle(magnitudes, magnitudes, 2, 3, 0, 1));
  max = i32x4.max_s(max, i32x4.shuffle(max, max, 1, 0, 3, 2));
  return f32x4.extract_lane(max, 0);
}

/** Quantizes 32 values; returns the sum of their q. */
function quantize_block(q: usize, scale: usize, x: usize): i32 {
  const signless = i32x4.splat(0x7fffffff);
  let max = magnitude4(x, signless);
  for (let i: usize = 16; i < 128; i += 16) max = i32x4.max_s(max, magnitude4(x + i, signless));
  const largest = largest_of(max);
  store<f32>(scale, scale_of(largest));
  const inverse = f32x4.splat(largest < TINY ? 0 : 127 / largest);

  const round = f32x4.splat(ROUND);
  let sum = i32x4.splat(0);
  for (let i: usize = 0; i < 2; i++, x += 64, q += 16) {
    const a = i16x8.narrow_i32x4_s(round4(x, inverse, round), round4(x + 16, inverse, round));
    const b = i16x8.narrow_i32x4_s(round4(x + 32, inverse, round), round4(x + 48, inverse, round));
    v128.store(q, i8x16.narrow_i16x8_s(a, b));
    sum = i32x4.add(sum, i32x4.extadd_pairwise_i16x8_s(i16x8.add(a, b)));
  }
  const low = i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1);
  return low + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
}

/** The same for `count` < 32 values, with zeros behind them. */
function quantize_tail(q: usize, scale: usize, x: usize, count: u32): i32 {
  let largest: f32 = 0;
  for (let i: usize = 0; i < count; i++)
    largest = max<f32>(largest, abs<f32>(load<f32>(x + (i << 2))));
  store<f32>(scale, scale_of(largest));
  const inverse: f32 = largest < TINY ? 0 : 127 / largest;
  let sum = 0;
  for (let i: u32 = 0; i < <u32>BLOCK; i++) {
    const scaled = i < count ? nearest<f32>(load<f32>(x + ((<usize>i) << 2)) * inverse) : 0;
    const value = <i32>scaled;
    store<i8>(q + i, <i8>value);
    sum += value;
  }
  return sum;
}
