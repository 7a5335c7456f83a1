// matvec_q4 where there is no relaxed SIMD: the same sums, from the same weights and x.
//
//   xPairs i16 [blocks, 8, 4]   scratch: for each 4 k of x, k 0 and 2, then k 1 and 3
//
// A 16-bit lane of weights holds four nibbles of one row: k, k + 4, k + 1, k + 5, from the lowest. Masked and
// shifted they are i16 already, and the exact i16 dot adds lane pairs: each i32 lane is a row. x is brought
// into that order once, not once a panel.

import { even_i8, load4, odd_i8 } from '../simd';
import { q4_record } from './matvec_q4';
import { blocks_of, weights_of, x_of, x_scales_of, x_sums_of } from './operands';
import { add_scaled, store_panel } from './panel';

/** One nibble of each 16-bit lane. In memory: a literal would be built anew at each use. */
const LANE_NIBBLES = memory.data<u16>([15, 15, 15, 15, 15, 15, 15, 15], 16);

export function matvec_q4_baseline<S, B>(
  op: usize,
  packed: usize,
  xPairs: usize,
  begin: u32,
  end: u32,
): void {
  const x = x_of(op);
  const xScales = x_scales_of(op);
  const xSums = x_sums_of(op);
  const blocks = blocks_of(op);
  pair_up(xPairs, x, blocks);
  const nibbles = v128.load(LANE_NIBBLES);
  const record = q4_record<S, B>();
  for (let panel = begin; panel < end; panel++) {
    let w = weights_of(packed) + <usize>panel * blocks * record;
    let low = f32x4.splat(0);
    let high = f32x4.splat(0);
    for (let b: usize = 0; b < blocks; b++, w += record) {
      const pairs = xPairs + (b << 6);
      const lowDots = dot_rows(w, pairs, nibbles);
      const highDots = dot_rows(w + 64, pairs, nibbles);
      const sum = v128.load32_splat(xSums + (b << 2));
      const xScale = v128.load32_splat(xScales + (b << 2));
      low = add_scaled(low, centred<B>(lowDots, sum), load4<S>(w + 128), xScale);
      const highScale = load4<S>(w + 128 + 4 * sizeof<S>());
      high = add_scaled(high, centred<B>(highDots, sum), highScale, xScale);
      if (!isVoid<B>()) {
        low = add_scaled(low, sum, load4<S>(w + 128 + 8 * sizeof<S>()), xScale);
        high = add_scaled(high, sum, load4<S>(w + 128 + 12 * sizeof<S>()), xScale);
      }
    }
    store_panel(op, 0, panel, low, high);
  }
}

/** x i8 [blocks, 32] as xPairs. */
function pair_up(xPairs: usize, x: usize, blocks: u32): void {
  for (const last = xPairs + ((<usize>blocks) << 6); xPairs < last; xPairs += 32, x += 16) {
    const bytes = v128.load(x);
    const even = even_i8(bytes);
    const odd = odd_i8(bytes);
    v128.store(xPairs, i32x4.shuffle(even, odd, 0, 4, 1, 5));
    v128.store(xPairs, i32x4.shuffle(even, odd, 2, 6, 3, 7), 16);
  }
}

/** Four rows of a block times its x. A loop: unrolled, Node 20 loads all of it first and spills it. */
function dot_rows(w: usize, pairs: usize, nibbles: v128): v128 {
  let dots = i32x4.splat(0);
  for (const last = w + 64; w < last; w += 16, pairs += 16) {
    const packed = v128.load(w);
    const k0 = v128.and(packed, nibbles);
    const k1 = v128.and(i16x8.shr_u(packed, 8), nibbles);
    const k4 = v128.and(i16x8.shr_u(packed, 4), nibbles);
    const k5 = i16x8.shr_u(packed, 12);
    dots = i32x4.add(dots, i32x4.dot_i16x8_s(v128.load32_splat(pairs), k0));
    dots = i32x4.add(dots, i32x4.dot_i16x8_s(v128.load32_splat(pairs, 4), k1));
    dots = i32x4.add(dots, i32x4.dot_i16x8_s(v128.load32_splat(pairs, 8), k4));
    dots = i32x4.add(dots, i32x4.dot_i16x8_s(v128.load32_splat(pairs, 12), k5));
  }
  return dots;
}

/** Dots less the zero point's share. */
function centred<B>(dots: v128, sum: v128): v128 {
  return isVoid<B>() ? i32x4.sub(dots, i32x4.shl(sum, 3)) : dots;
}
