// y = W x for one row of int8 activations and 8-bit weights: matmul_q8's sum for m = 1, in the same order.
//
//   y, x, xScales, xSums as operands.ts draws them, m = 1
//   weights     as in matmul_q8
//
// No relaxed dot takes 8 bits on both sides, so both are widened to i16 on their way from memory: 8 bytes are
// 4 k of two rows. Each sum vector holds two partial sums for each of two rows: of k 0 and 1, and of k 2 and 3,
// of every quad.

import { load4 } from '../simd';
import { blocks_of, weights_of, x_of, x_scales_of, x_sums_of } from './operands';
import { add_scaled, store_panel } from './panel';

export function matvec_q8<S, B>(op: usize, packed: usize, begin: u32, end: u32): void {
  const x = x_of(op);
  const xScales = x_scales_of(op);
  const xSums = x_sums_of(op);
  const blocks = blocks_of(op);
  const record: usize = isVoid<B>() ? 256 + 8 * sizeof<S>() : 256 + 16 * sizeof<S>();
  for (let panel = begin; panel < end; panel++) {
    let w = weights_of(packed) + <usize>panel * blocks * record;
    let low = f32x4.splat(0);
    let high = f32x4.splat(0);
    for (let b: usize = 0; b < blocks; b++, w += record) {
      const xb = x + (b << 5);
      const x0 = quad(xb);
      const x1 = quad(xb + 4);
      const x2 = quad(xb + 8);
      const x3 = quad(xb + 12);
      const x4 = quad(xb + 16);
      const x5 = quad(xb + 20);
      const x6 = quad(xb + 24);
      const x7 = quad(xb + 28);
      const rows01 = dot_rows(w, x0, x1, x2, x3, x4, x5, x6, x7);
      const rows23 = dot_rows(w + 8, x0, x1, x2, x3, x4, x5, x6, x7);
      const rows45 = dot_rows(w + 16, x0, x1, x2, x3, x4, x5, x6, x7);
      const rows67 = dot_rows(w + 24, x0, x1, x2, x3, x4, x5, x6, x7);

      const sum = v128.load32_splat(xSums + (b << 2));
      const xScale = v128.load32_splat(xScales + (b << 2));
      const lowDot = gathered<B>(rows01, rows23, sum);
      const highDot = gathered<B>(rows45, rows67, sum);
      low = add_scaled(low, lowDot, load4<S>(w + 256), xScale);
      high = add_scaled(high, highDot, load4<S>(w + 256 + 4 * sizeof<S>()), xScale);
      if (!isVoid<B>()) {
        low = add_scaled(low, sum, load4<S>(w + 256 + 8 * sizeof<S>()), xScale);
        high = add_scaled(high, sum, load4<S>(w + 256 + 12 * sizeof<S>()), xScale);
      }
    }
    store_panel(op, 0, panel, low, high);
  }
}

/** Four values of x, twice, as i16. */
function quad(x: usize): v128 {
  return i16x8.extend_low_i8x16_s(v128.load32_splat(x));
}

/** Two rows of a block times its x: lanes (row, pair of k). */
function dot_rows(
  w: usize,
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  x4: v128,
  x5: v128,
  x6: v128,
  x7: v128,
): v128 {
  const d0 = i32x4.dot_i16x8_s(x0, v128.load8x8_s(w));
  const d1 = i32x4.dot_i16x8_s(x1, v128.load8x8_s(w, 32));
  const d2 = i32x4.dot_i16x8_s(x2, v128.load8x8_s(w, 64));
  const d3 = i32x4.dot_i16x8_s(x3, v128.load8x8_s(w, 96));
  const d4 = i32x4.dot_i16x8_s(x4, v128.load8x8_s(w, 128));
  const d5 = i32x4.dot_i16x8_s(x5, v128.load8x8_s(w, 160));
  const d6 = i32x4.dot_i16x8_s(x6, v128.load8x8_s(w, 192));
  const d7 = i32x4.dot_i16x8_s(x7, v128.load8x8_s(w, 224));
  const d03 = i32x4.add(i32x4.add(d0, d1), i32x4.add(d2, d3));
  return i32x4.add(d03, i32x4.add(i32x4.add(d4, d5), i32x4.add(d6, d7)));
}

/** The dots of four rows from two vectors of partial sums; unsigned weights get their 128 back. */
function gathered<B>(a: v128, b: v128, sum: v128): v128 {
  const dot = i32x4.add(i32x4.shuffle(a, b, 0, 2, 4, 6), i32x4.shuffle(a, b, 1, 3, 5, 7));
  return isVoid<B>() ? dot : i32x4.add(dot, i32x4.shl(sum, 7));
}
