// y = W x for one row of int8 activations and 4-bit weights:
//
//   y[o] = sum over blocks b, ascending, of
//            f32(dot(q[o, b], x[b]) - zero * sum(x[b])) * (scale[o, b] * xScale[b])
//          + f32(sum(x[b])) * (bias[o, b] * xScale[b])            only with biases
//
//   y, x, xScales, xSums as operands.ts draws them, m = 1
//   weights     [ceil(n / 8), blocks] records of
//                 128 bytes: 64 for rows 0-3, 64 for rows 4-7; each 16 for every 8 of k: byte 4 r + i of
//                            vector j has row r, k = 8 j + i in its low nibble, k = 8 j + 4 + i in its high
//                 8 scales of type S, then (only with biases) 8 biases
//   S       i16: float16, u16: bfloat16, f32
//   B       S with biases, void without
//   zero    8 without biases, 0 with them
//
// A lane of 4 bytes holds 4 k of a row, so x is one 4-byte splat and nothing is summed across lanes but pairs.
// Nibbles are valid operands of the relaxed dot, and a block stays inside i16: 8 * 2 * 127 * 15 = 30480.
// Both nibbles of a byte belong to one row: each sum is finished before the next begins, and all vectors stay
// in registers (with rows r and r + 4 in a byte the compiler spilled half of them).

import { dot_i8_u7, load4 } from '../simd';
import { blocks_of, weights_of, x_of, x_scales_of, x_sums_of } from './operands';
import { add_scaled, store_panel } from './panel';

/** In memory: a literal would be built anew at each use. */
export const NIBBLES = memory.data<u8>(
  [15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15],
  16,
);

export function matvec_q4<S, B>(op: usize, packed: usize, begin: u32, end: u32): void {
  const x = x_of(op);
  const xScales = x_scales_of(op);
  const xSums = x_sums_of(op);
  const blocks = blocks_of(op);
  const nibbles = v128.load(NIBBLES);
  const record = q4_record<S, B>();

  for (let panel = begin; panel < end; panel++) {
    let w = weights_of(packed) + <usize>panel * blocks * record;
    let low = f32x4.splat(0);
    let high = f32x4.splat(0);
    for (let b: usize = 0; b < blocks; b++, w += record) {
      const xb = x + (b << 5);
      const x0 = v128.load32_splat(xb);
      const x1 = v128.load32_splat(xb, 4);
      const x2 = v128.load32_splat(xb, 8);
      const x3 = v128.load32_splat(xb, 12);
      const x4 = v128.load32_splat(xb, 16);
      const x5 = v128.load32_splat(xb, 20);
      const x6 = v128.load32_splat(xb, 24);
      const x7 = v128.load32_splat(xb, 28);
      const lowDots = dot_rows(w, nibbles, x0, x1, x2, x3, x4, x5, x6, x7);
      const highDots = dot_rows(w + 64, nibbles, x0, x1, x2, x3, x4, x5, x6, x7);

      const sum = v128.load32_splat(xSums + (b << 2));
      const xScale = v128.load32_splat(xScales + (b << 2));
      const lowDot = centred<B>(lowDots, sum);
      const highDot = centred<B>(highDots, sum);
      low = add_scaled(low, lowDot, load4<S>(w + 128), xScale);
      high = add_scaled(high, highDot, load4<S>(w + 128 + 4 * sizeof<S>()), xScale);
      if (!isVoid<B>()) {
        low = add_scaled(low, sum, load4<S>(w + 128 + 8 * sizeof<S>()), xScale);
        high = add_scaled(high, sum, load4<S>(w + 128 + 12 * sizeof<S>()), xScale);
      }
    }
    store_panel(op, 0, panel, low, high);
  }
}

/** Bytes of a panel's block. */
export function q4_record<S, B>(): usize {
  return isVoid<B>() ? 128 + 8 * sizeof<S>() : 128 + 16 * sizeof<S>();
}

/** i16 sums of a block, added in pairs, less the zero point's share. */
export function centred<B>(dots: v128, sum: v128): v128 {
  const wide = i32x4.extadd_pairwise_i16x8_s(dots);
  return isVoid<B>() ? i32x4.sub(wide, i32x4.shl(sum, 3)) : wide;
}

/** Four rows of a block times its x, given as splats of 4 k: i16x8 with lanes (row, k pair). */
function dot_rows(
  w: usize,
  nibbles: v128,
  x0: v128,
  x1: v128,
  x2: v128,
  x3: v128,
  x4: v128,
  x5: v128,
  x6: v128,
  x7: v128,
): v128 {
  const d01 = dot_octet(v128.load(w), nibbles, x0, x1);
  const d23 = dot_octet(v128.load(w, 16), nibbles, x2, x3);
  const d45 = dot_octet(v128.load(w, 32), nibbles, x4, x5);
  const d67 = dot_octet(v128.load(w, 48), nibbles, x6, x7);
  return i16x8.add(i16x8.add(d01, d23), i16x8.add(d45, d67));
}

/** Four rows x 8 k. */
function dot_octet(packed: v128, nibbles: v128, xLow: v128, xHigh: v128): v128 {
  const low = dot_i8_u7(xLow, v128.and(packed, nibbles));
  return i16x8.add(low, dot_i8_u7(xHigh, v128.and(i16x8.shr_u(packed, 4), nibbles)));
}
