// Y = X W^T with float weights: y[i, o] = sum over k, ascending, of x[i, k] * w[o, k], in one f32 sum.
//
//   y       f32 [m, n]
//   x       f32 [m, k]
//   weights T   [ceil(n / 8), k, 8]   T: f32, i16 (float16), u16 (bfloat16); finite
//
// Computes panels [begin, end) for all m rows, four rows at a time: weights are converted once for them.

import { load4 } from '../simd';
import { store_panel } from './panel';

export function matmul_float<T>(
  y: usize,
  x: usize,
  weights: usize,
  m: u32,
  n: u32,
  k: u32,
  begin: u32,
  end: u32,
): void {
  const panelBytes = <usize>k * 8 * sizeof<T>();
  const xStride = (<usize>k) << 2;
  const yStride = (<usize>n) << 2;
  for (let panel = begin; panel < end; panel++) {
    const w = weights + panel * panelBytes;
    let i: u32 = 0;
    for (; i + 4 <= m; i += 4) {
      four_rows<T>(y + i * yStride, yStride, x + i * xStride, xStride, w, n, k, panel);
    }
    for (; i < m; i++) one_row<T>(y + i * yStride, x + i * xStride, w, n, k, panel);
  }
}

function one_row<T>(y: usize, x: usize, w: usize, n: u32, k: u32, panel: u32): void {
  let low = f32x4.splat(0);
  let high = f32x4.splat(0);
  for (const end = x + ((<usize>k) << 2); x < end; x += 4, w += 8 * sizeof<T>()) {
    const xk = v128.load32_splat(x);
    low = f32x4.add(low, f32x4.mul(xk, load4<T>(w)));
    high = f32x4.add(high, f32x4.mul(xk, load4<T>(w + 4 * sizeof<T>())));
  }
  store_panel(y, n, panel, low, high);
}

function four_rows<T>(
  y: usize,
  yStride: usize,
  x: usize,
  xStride: usize,
  w: usize,
  n: u32,
  k: u32,
  panel: u32,
): void {
  let low0 = f32x4.splat(0);
  let high0 = low0;
  let low1 = low0;
  let high1 = low0;
  let low2 = low0;
  let high2 = low0;
  let low3 = low0;
  let high3 = low0;
  for (const end = x + ((<usize>k) << 2); x < end; x += 4, w += 8 * sizeof<T>()) {
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
  store_panel(y, n, panel, low0, high0);
  store_panel(y + yStride, n, panel, low1, high1);
  store_panel(y + 2 * yStride, n, panel, low2, high2);
  store_panel(y + 3 * yStride, n, panel, low3, high3);
}
