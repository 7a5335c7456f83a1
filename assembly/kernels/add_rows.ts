// What a tile of weights adds to the sums of m rows: acc + f32(dot(q, x) - zero * sum(x)) * (scale * xScale), and with
// biases f32(sum(x)) * (bias * xScale) behind it.
//
//   sums    f32 [m, 8]
//   x       i8 [m, 32], xScales f32 [m], xSums i32 [m]: of one block
//   tile    u7 or i8 [8 quads, 32]   byte 4 r + i of quad j has row r, k = 4 j + i
//   factors f32 [4, 4]               scales of rows 0-3 and 4-7, then biases
//   zero    what of the tile means zero

import { dot_i8_u7, dot4_i8_u7 } from '../simd';
import { load_scales, scale_bytes } from './group_scales';
import { NIBBLES } from './matvec_q4';
import { dtype_of, has_bias } from './operands';
import { add_scaled, gathered } from './panel';

/** Factors: the scales at `scales`, and the biases `biases` bytes behind them. */
export function place_factors(to: usize, packed: usize, scales: usize, biases: usize): void {
  const dtype = dtype_of(packed);
  const half = 4 * scale_bytes(dtype);
  v128.store(to, load_scales(dtype, scales));
  v128.store(to, load_scales(dtype, scales + half), 16);
  if (!has_bias(packed)) return;
  v128.store(to, load_scales(dtype, scales + biases), 32);
  v128.store(to, load_scales(dtype, scales + biases + half), 48);
}

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

/** To the sums of 8 rows of weights. */
function add_both(
  at: usize,
  low: v128,
  high: v128,
  sum: v128,
  xScales: usize,
  factors: usize,
  hasBias: bool,
  zero: v128,
): void {
  const xScale = v128.load32_splat(xScales);
  const f = factors;
  add_to(at, low, sum, zero, v128.load(f), v128.load(f, 32), xScale, hasBias);
  add_to(at + 16, high, sum, zero, v128.load(f, 16), v128.load(f, 48), xScale, hasBias);
}

function add_to(
  at: usize,
  dot: v128,
  sum: v128,
  zero: v128,
  scale: v128,
  bias: v128,
  xScale: v128,
  hasBias: bool,
): void {
  const centred = i32x4.sub(dot, i32x4.mul(sum, zero));
  let acc = add_scaled(v128.load(at), centred, scale, xScale);
  if (hasBias) acc = add_scaled(acc, sum, bias, xScale);
  v128.store(at, acc);
}

/** The sum of 16 values, in all lanes. */
function sum16(x: usize): v128 {
  let sum = i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(x)));
  sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1));
  return i32x4.add(sum, i32x4.shuffle(sum, sum, 1, 0, 3, 2));
}
