// Dots of tiles of 0 to 127 with m rows, by the exact dot; names as add_factors.ts draws them.

import { dot_i8_u7, dot4_i8_u7 } from '../simd';
import { add_both, add_to, sum16 } from './add_factors';
import { NIBBLES } from './matvec_q4';

/**
 * A tile of 0 to 127: rows [half, half + 4) of the panel (half 0 or 4), in 8 vectors that serve all m rows.
 * Sum: i16 if the pairs of products of a block fit in it (up to 4 bits), else i32. B: void without biases.
 */
export function add_u7<Sum, B>(
  sums: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  m: u32,
  tile: usize,
  half: usize,
  factors: usize,
  zero: v128,
): void {
  const ones = i16x8.shr_u(v128.load(NIBBLES), 11);
  const scale = v128.load(factors + (half << 2));
  const bias = isVoid<B>() ? scale : v128.load(factors + (half << 2), 32);
  const w = tile + (half << 2);
  const w0 = v128.load(w);
  const w1 = v128.load(w, 32);
  const w2 = v128.load(w, 64);
  const w3 = v128.load(w, 96);
  const w4 = v128.load(w, 128);
  const w5 = v128.load(w, 160);
  const w6 = v128.load(w, 192);
  const w7 = v128.load(w, 224);
  let at = sums + (half << 2);
  for (
    const last = at + ((<usize>m) << 5);
    at < last;
    at += 32, x += 32, xScales += 4, xSums += 4
  ) {
    let dots = add_dot<Sum>(i32x4.splat(0), x, w0, ones);
    dots = add_dot<Sum>(dots, x + 4, w1, ones);
    dots = add_dot<Sum>(dots, x + 8, w2, ones);
    dots = add_dot<Sum>(dots, x + 12, w3, ones);
    dots = add_dot<Sum>(dots, x + 16, w4, ones);
    dots = add_dot<Sum>(dots, x + 20, w5, ones);
    dots = add_dot<Sum>(dots, x + 24, w6, ones);
    dots = add_dot<Sum>(dots, x + 28, w7, ones);
    const dot = sizeof<Sum>() == 2 ? i32x4.extadd_pairwise_i16x8_s(dots) : dots;
    const sum = v128.load32_splat(xSums);
    add_to(at, dot, sum, zero, scale, bias, v128.load32_splat(xScales), !isVoid<B>());
  }
}

function add_dot<Sum>(sum: v128, x: usize, w: v128, ones: v128): v128 {
  const quad = v128.load32_splat(x);
  if (sizeof<Sum>() == 2) return i16x8.add(sum, dot_i8_u7(quad, w));
  return i32x4.add(sum, dot4_i8_u7(quad, w, ones));
}

/** Half a block, 8 rows x 16 k, of a tile of 0 to 127; x begins with its first k. */
export function add_half_u7(
  sums: usize,
  x: usize,
  xScales: usize,
  m: u32,
  tile: usize,
  factors: usize,
  hasBias: bool,
  zero: v128,
): void {
  const ones = i16x8.shr_u(v128.load(NIBBLES), 11);
  const low0 = v128.load(tile);
  const high0 = v128.load(tile, 16);
  const low1 = v128.load(tile, 32);
  const high1 = v128.load(tile, 48);
  const low2 = v128.load(tile, 64);
  const high2 = v128.load(tile, 80);
  const low3 = v128.load(tile, 96);
  const high3 = v128.load(tile, 112);
  for (const last = sums + ((<usize>m) << 5); sums < last; sums += 32, x += 32, xScales += 4) {
    let quad = v128.load32_splat(x);
    let low = dot4_i8_u7(quad, low0, ones);
    let high = dot4_i8_u7(quad, high0, ones);
    quad = v128.load32_splat(x, 4);
    low = i32x4.add(low, dot4_i8_u7(quad, low1, ones));
    high = i32x4.add(high, dot4_i8_u7(quad, high1, ones));
    quad = v128.load32_splat(x, 8);
    low = i32x4.add(low, dot4_i8_u7(quad, low2, ones));
    high = i32x4.add(high, dot4_i8_u7(quad, high2, ones));
    quad = v128.load32_splat(x, 12);
    low = i32x4.add(low, dot4_i8_u7(quad, low3, ones));
    high = i32x4.add(high, dot4_i8_u7(quad, high3, ones));
    add_both(sums, low, high, sum16(x), xScales, factors, hasBias, zero);
  }
}
