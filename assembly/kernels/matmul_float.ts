// Y = X W^T with float weights: y[i, o] = sum over k, ascending, of x[i, k] * w[o, k], in one f32 sum.
//
//   y, x    as operands.ts draws them
//   weights T   [ceil(n / 8), k, 8]   T: f32, i16 (float16), u16 (bfloat16); finite
//
// Four rows at a time: weights are converted once for them.

import { load4 } from '../simd';
import { k_of, weights_of, x_of } from './operands';
import { store_panel } from './panel';

export function matmul_float<T>(op: usize, packed: usize, m: u32, begin: u32, end: u32): void {
  const x = x_of(op);
  const k = k_of(op);
  const panelBytes = <usize>k * 8 * sizeof<T>();
  const xStride = (<usize>k) << 2;
  for (let panel = begin; panel < end; panel++) {
    const w = weights_of(packed) + panel * panelBytes;
    let i: u32 = 0;
    for (; i + 4 <= m; i += 4) {
      four_rows<T>(op, i, x + i * xStride, xStride, w, k, panel);
    }
    for (; i < m; i++) one_row<T>(op, i, x + i * xStride, w, k, panel);
  }
}

function one_row<T>(op: usize, i: u32, x: usize, w: usize, k: u32, panel: u32): void {
  let low = f32x4.splat(0);
  let high = f32x4.splat(0);
  for (const end = x + ((<usize>k) << 2); x < end; x += 4, w += 8 * sizeof<T>()) {
    const xk = v128.load32_splat(x);
    low = f32x4.add(low, f32x4.mul(xk, load4<T>(w)));
    high = f32x4.add(high, f32x4.mul(xk, load4<T>(w + 4 * sizeof<T>())));
  }
  store_panel(op, i, panel, low, high);
}

function four_rows<T>(
  op: usize,
  i: u32,
  x: usize,
  xStride: usize,
  w: usize,
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
  store_panel(op, i, panel, low0, high0);
  store_panel(op, i + 1, panel, low1, high1);
  store_panel(op, i + 2, panel, low2, high2);
  store_panel(op, i + 3, panel, low3, high3);
}
