// y = W x for one row of int8 activations and 4-bit weights:
//
//   y[o] = sum over blocks b, ascending, of
//            f32(dot(q[o, b], x[b]) - zero * sum(x[b])) * (scale[o, b] * xScale[b])
//          + f32(sum(x[b])) * (bias[o, b] * xScale[b])            only with biases
//
//   y       f32 [n]
//   x       i8  [blocks, 32]   within +-127; padding along k is zero
//   xScales f32 [blocks]
//   xSums   i32 [blocks]       sum of the 32 values
//   weights     [ceil(n / 8), blocks] records of
//                 128 bytes: 16 for each of the 8 quads of k; byte 4 r + i of quad j has k = 4 j + i,
//                            row r in its low nibble and row r + 4 in its high nibble (r = 0..3)
//                 8 scales, then (only with biases) 8 biases, of type S
//   S       i16: float16, u16: bfloat16, f32
//   zero    8 without biases, 0 with them
//
// The caller guarantees blocks > 0 and weights padded to whole panels. Computes panels [begin, end).
//
// A vector holds 4 rows x 4 k, so x is one 4-byte splat and nothing is summed across lanes but pairs.
// Nibbles are valid operands of the relaxed dot, and a block stays inside i16: 8 * 2 * 127 * 15 = 30480.

import { dot_i8_u7, load4 } from '../simd';
import { add_scaled, store_panel } from './panel';

/** In memory: a constant would be built anew at each of its 16 uses. */
export const NIBBLES = memory.data<u8>(
  [15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15],
  16,
);

export function matvec_q4<S>(
  y: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  weights: usize,
  n: u32,
  blocks: u32,
  hasBias: u32,
  begin: u32,
  end: u32,
): void {
  const nibbles = v128.load(NIBBLES);
  const record: usize = 128 + ((8 * sizeof<S>()) << hasBias);

  for (let panel = begin; panel < end; panel++) {
    let w = weights + <usize>panel * blocks * record;
    let low = f32x4.splat(0);
    let high = f32x4.splat(0);
    for (let b: usize = 0; b < blocks; b++, w += record) {
      const xb = x + (b << 5);
      let packed = v128.load(w);
      let quad = v128.load32_splat(xb);
      let lowDots = dot_i8_u7(quad, v128.and(packed, nibbles));
      let highDots = dot_i8_u7(quad, v128.and(i16x8.shr_u(packed, 4), nibbles));
      packed = v128.load(w, 16);
      quad = v128.load32_splat(xb, 4);
      lowDots = i16x8.add(lowDots, dot_i8_u7(quad, v128.and(packed, nibbles)));
      highDots = i16x8.add(highDots, dot_i8_u7(quad, v128.and(i16x8.shr_u(packed, 4), nibbles)));
      packed = v128.load(w, 32);
      quad = v128.load32_splat(xb, 8);
      lowDots = i16x8.add(lowDots, dot_i8_u7(quad, v128.and(packed, nibbles)));
      highDots = i16x8.add(highDots, dot_i8_u7(quad, v128.and(i16x8.shr_u(packed, 4), nibbles)));
      packed = v128.load(w, 48);
      quad = v128.load32_splat(xb, 12);
      lowDots = i16x8.add(lowDots, dot_i8_u7(quad, v128.and(packed, nibbles)));
      highDots = i16x8.add(highDots, dot_i8_u7(quad, v128.and(i16x8.shr_u(packed, 4), nibbles)));
      packed = v128.load(w, 64);
      quad = v128.load32_splat(xb, 16);
      lowDots = i16x8.add(lowDots, dot_i8_u7(quad, v128.and(packed, nibbles)));
      highDots = i16x8.add(highDots, dot_i8_u7(quad, v128.and(i16x8.shr_u(packed, 4), nibbles)));
      packed = v128.load(w, 80);
      quad = v128.load32_splat(xb, 20);
      lowDots = i16x8.add(lowDots, dot_i8_u7(quad, v128.and(packed, nibbles)));
      highDots = i16x8.add(highDots, dot_i8_u7(quad, v128.and(i16x8.shr_u(packed, 4), nibbles)));
      packed = v128.load(w, 96);
      quad = v128.load32_splat(xb, 24);
      lowDots = i16x8.add(lowDots, dot_i8_u7(quad, v128.and(packed, nibbles)));
      highDots = i16x8.add(highDots, dot_i8_u7(quad, v128.and(i16x8.shr_u(packed, 4), nibbles)));
      packed = v128.load(w, 112);
      quad = v128.load32_splat(xb, 28);
      lowDots = i16x8.add(lowDots, dot_i8_u7(quad, v128.and(packed, nibbles)));
      highDots = i16x8.add(highDots, dot_i8_u7(quad, v128.and(i16x8.shr_u(packed, 4), nibbles)));

      const sum = v128.load32_splat(xSums + (b << 2));
      const zeros = hasBias ? i32x4.splat(0) : i32x4.shl(sum, 3);
      const xScale = v128.load32_splat(xScales + (b << 2));
      const lowSum = i32x4.sub(i32x4.extadd_pairwise_i16x8_s(lowDots), zeros);
      const highSum = i32x4.sub(i32x4.extadd_pairwise_i16x8_s(highDots), zeros);
      low = add_scaled(low, lowSum, load4<S>(w + 128), xScale);
      high = add_scaled(high, highSum, load4<S>(w + 128 + 4 * sizeof<S>()), xScale);
      if (hasBias) {
        low = add_scaled(low, sum, load4<S>(w + 128 + 8 * sizeof<S>()), xScale);
        high = add_scaled(high, sum, load4<S>(w + 128 + 12 * sizeof<S>()), xScale);
      }
    }
    store_panel(y, n, panel, low, high);
  }
}
