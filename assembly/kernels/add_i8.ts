// Dots of tiles of -128 to 127 with m rows; names as add_factors.ts draws them.

import { add_both, sum16 } from './add_factors';
import { gathered } from './panel';

/**
 * A tile of -128 to 127, `octets` times 8 of its k; x begins with the first, and xSums 0 means that sums are not of
 * these k. No exact dot takes 8 bits on both sides, so both are widened; two rows at a time share the weights.
 */
export function add_i8(
  sums: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  m: u32,
  tile: usize,
  octets: u32,
  factors: usize,
  hasBias: bool,
  zero: v128,
): void {
  const end = tile + ((<usize>octets) << 6);
  const stride: usize = xSums ? 4 : 0;
  for (; m > 1; m -= 2, sums += 64, x += 64, xScales += 8, xSums += 2 * stride) {
    add_i8_rows<i32>(sums, x, xScales, xSums, tile, end, factors, hasBias, zero);
  }
  if (m == 1) add_i8_rows<void>(sums, x, xScales, xSums, tile, end, factors, hasBias, zero);
}

/**
 * One row, and with Second not void the next. Each vector of dots holds two partial sums for each of two rows of
 * weights.
 */
function add_i8_rows<Second>(
  sums: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  tile: usize,
  end: usize,
  factors: usize,
  hasBias: bool,
  zero: v128,
): void {
  let a01 = i32x4.splat(0);
  let a23 = a01;
  let a45 = a01;
  let a67 = a01;
  let b01 = a01;
  let b23 = a01;
  let b45 = a01;
  let b67 = a01;
  for (let w = tile, at = x; w < end; w += 64, at += 8) {
    const a = v128.load8x8_s(at);
    const a0 = i64x2.shuffle(a, a, 0, 0);
    const a1 = i64x2.shuffle(a, a, 1, 1);
    const b = isVoid<Second>() ? a : v128.load8x8_s(at, 32);
    const b0 = i64x2.shuffle(b, b, 0, 0);
    const b1 = i64x2.shuffle(b, b, 1, 1);
    let pair = v128.load8x8_s(w);
    a01 = add_pair(a01, a0, pair);
    if (!isVoid<Second>()) b01 = add_pair(b01, b0, pair);
    pair = v128.load8x8_s(w, 8);
    a23 = add_pair(a23, a0, pair);
    if (!isVoid<Second>()) b23 = add_pair(b23, b0, pair);
    pair = v128.load8x8_s(w, 16);
    a45 = add_pair(a45, a0, pair);
    if (!isVoid<Second>()) b45 = add_pair(b45, b0, pair);
    pair = v128.load8x8_s(w, 24);
    a67 = add_pair(a67, a0, pair);
    if (!isVoid<Second>()) b67 = add_pair(b67, b0, pair);
    pair = v128.load8x8_s(w, 32);
    a01 = add_pair(a01, a1, pair);
    if (!isVoid<Second>()) b01 = add_pair(b01, b1, pair);
    pair = v128.load8x8_s(w, 40);
    a23 = add_pair(a23, a1, pair);
    if (!isVoid<Second>()) b23 = add_pair(b23, b1, pair);
    pair = v128.load8x8_s(w, 48);
    a45 = add_pair(a45, a1, pair);
    if (!isVoid<Second>()) b45 = add_pair(b45, b1, pair);
    pair = v128.load8x8_s(w, 56);
    a67 = add_pair(a67, a1, pair);
    if (!isVoid<Second>()) b67 = add_pair(b67, b1, pair);
  }
  let sum = xSums ? v128.load32_splat(xSums) : sum16(x);
  add_both(sums, gathered(a01, a23), gathered(a45, a67), sum, xScales, factors, hasBias, zero);
  if (isVoid<Second>()) return;
  sum = xSums ? v128.load32_splat(xSums, 4) : sum16(x + 32);
  const low = gathered(b01, b23);
  add_both(sums + 32, low, gathered(b45, b67), sum, xScales + 4, factors, hasBias, zero);
}

function add_pair(sum: v128, x: v128, w: v128): v128 {
  return i32x4.add(sum, i32x4.dot_i16x8_s(x, w));
}
