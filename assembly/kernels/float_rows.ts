// The sums of matmuls with float activations, which every kernel of theirs adds up alike: of row i and 8 rows of W
//
//   sums[i, o] = sums[i, o] + x[i, k] * w[k, o]   for k ascending, product and sum rounded to f32 one by one
//
//   sums f32 [m, 8]
//   x    f32 [m], rows `xStride` bytes apart, from the first k on
//   w    T   [count, 8]   T: f32, i16 (float16), u16 (bfloat16); finite
//
// Four rows at a time: weights are converted once for them.

import { load4 } from '../simd';
import { store_panel } from './panel';

export function add_rows<T>(
  sums: usize,
  x: usize,
  xStride: usize,
  w: usize,
  m: u32,
  count: u32,
): void {
  let i: u32 = 0;
  for (; i + 4 <= m; i += 4, sums += 128, x += 4 * xStride) {
    four_rows<T>(sums, x, xStride, w, count);
  }
  for (; i < m; i++, sums += 32, x += xStride) one_row<T>(sums, x, w, count);
}

function one_row<T>(sums: usize, x: usize, w: usize, count: u32): void {
  let low = v128.load(sums);
  let high = v128.load(sums, 16);
  for (const end = x + ((<usize>count) << 2); x < end; x += 4, w += 8 * sizeof<T>()) {
    const xk = v128.load32_splat(x);
    low = f32x4.add(low, f32x4.mul(xk, load4<T>(w)));
    high = f32x4.add(high, f32x4.mul(xk, load4<T>(w + 4 * sizeof<T>())));
  }
  v128.store(sums, low);
  v128.store(sums, high, 16);
}

function four_rows<T>(sums: usize, x: usize, xStride: usize, w: usize, count: u32): void {
  let low0 = v128.load(sums);
  let high0 = v128.load(sums, 16);
  let low1 = v128.load(sums, 32);
  let high1 = v128.load(sums, 48);
  let low2 = v128.load(sums, 64);
  let high2 = v128.load(sums, 80);
  let low3 = v128.load(sums, 96);
  let high3 = v128.load(sums, 112);
  for (const end = x + ((<usize>count) << 2); x < end; x += 4, w += 8 * sizeof<T>()) {
    const low = load4<T>(w);
    const high = load4<T>(w + 4 * sizeof<T>());
    let xk = v128.load32_splat(x);
    low0 = f32x4.add(low0, f32x4.mul(xk, low));
    high0 = f32x4.add(high0, f32x4.mul(xk, high));
    xk = v128.load32_splat(x + xStride);
    low1 = f32x4.add(low1, f32x4.mul(xk, low));
    high1 = f32x4.add(high1, f32x4.mul(xk, high));
    xk = v128.load32_splat(x + 2 * xStride);
    low2 = f32x4.add(low2, f32x4.mul(xk, low));
    high2 = f32x4.add(high2, f32x4.mul(xk, high));
    xk = v128.load32_splat(x + 3 * xStride);
    low3 = f32x4.add(low3, f32x4.mul(xk, low));
    high3 = f32x4.add(high3, f32x4.mul(xk, high));
  }
  v128.store(sums, low0);
  v128.store(sums, high0, 16);
  v128.store(sums, low1, 32);
  v128.store(sums, high1, 48);
  v128.store(sums, low2, 64);
  v128.store(sums, high2, 80);
  v128.store(sums, low3, 96);
  v128.store(sums, high3, 112);
}

/** Stores the sums of panel `panel` into y [m, n]. */
export function store_rows(op: usize, sums: usize, m: u32, panel: u32): void {
  for (let i: u32 = 0; i < m; i++, sums += 32) {
    store_panel(op, i, panel, v128.load(sums), v128.load(sums, 16));
  }
}
