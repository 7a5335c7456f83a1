// Y = X W^T for m rows of int8 activations and 8-bit weights:
//
//   y[i, o] = sum over blocks b, ascending, of
//               f32(dot(q[o, b], x[i, b]) + zero * sum(x[i, b])) * (scale[o, b] * xScale[i, b])
//             + f32(sum(x[i, b])) * (bias[o, b] * xScale[i, b])      only with biases
//
//   y, x, xScales, xSums as operands.ts draws them
//   weights     [ceil(n / 8), blocks] records of 256 bytes of q - 128 (int8): 32 for each of the 8 quads of
//               k, byte 4 r + i of quad j has row r, k = 4 j + i; then 8 scales, then 8 biases if any (S)
//   sums    f32 [m, 8]            scratch: the panel's running sums
//   zero    0 without biases; 128 with them, since their q is unsigned
//
// Products of even and of odd k go through the exact i16 dot: pairs of them
// already lie in the i32 lane of their row. |sum| <= 32 * 127 * 128 per block, exact in f32.

import { even_i8, load4, odd_i8 } from '../simd';
import { blocks_of, has_bias, weights_of, x_block, x_scales_block, x_sums_block } from './operands';
import { add_scaled, store_panel } from './panel';

export function matmul_q8<S>(
  op: usize,
  packed: usize,
  sums: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const blocks = blocks_of(op);
  const hasBias: u32 = has_bias(packed) ? 1 : 0;
  const record: usize = 256 + ((8 * sizeof<S>()) << hasBias);
  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    let w = weights_of(packed) + <usize>panel * blocks * record;
    for (let b: u32 = 0; b < blocks; b++, w += record) {
      const x = x_block(op, b, m);
      const xScales = x_scales_block(op, b, m);
      const xSums = x_sums_block(op, b, m);
      half_block<S>(sums, x, xScales, xSums, w, 0, m, hasBias);
      half_block<S>(sums, x, xScales, xSums, w, 4, m, hasBias);
    }
    for (let i: u32 = 0; i < m; i++) {
      const at = sums + ((<usize>i) << 5);
      store_panel(op, i, panel, v128.load(at), v128.load(at, 16));
    }
  }
}

/** Adds one quad of k: 4 rows x 4 k of `w`, times the 4 bytes at `x`. */
function add_quad(acc: v128, x: usize, w: v128): v128 {
  const quad = v128.load32_splat(x);
  const even = i32x4.dot_i16x8_s(even_i8(quad), even_i8(w));
  return i32x4.add(acc, i32x4.add(even, i32x4.dot_i16x8_s(odd_i8(quad), odd_i8(w))));
}

/** Adds one block of k for rows [half, half + 4) of the panel (half 0 or 4) to the sums of all m rows. */
function half_block<S>(
  sums: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  w: usize,
  half: usize,
  m: u32,
  hasBias: u32,
): void {
  const q = w + (half << 2);
  const scale = load4<S>(w + 256 + half * sizeof<S>());
  const bias = hasBias ? load4<S>(w + 256 + (half + 8) * sizeof<S>()) : f32x4.splat(0);

  let at = sums + (half << 2);
  for (
    const last = at + ((<usize>m) << 5);
    at < last;
    at += 32, x += 32, xScales += 4, xSums += 4
  ) {
    let dot = add_quad(i32x4.splat(0), x, v128.load(q));
    dot = add_quad(dot, x + 4, v128.load(q, 32));
    dot = add_quad(dot, x + 8, v128.load(q, 64));
    dot = add_quad(dot, x + 12, v128.load(q, 96));
    dot = add_quad(dot, x + 16, v128.load(q, 128));
    dot = add_quad(dot, x + 20, v128.load(q, 160));
    dot = add_quad(dot, x + 24, v128.load(q, 192));
    dot = add_quad(dot, x + 28, v128.load(q, 224));

    const sum = v128.load32_splat(xSums);
    const xScale = v128.load32_splat(xScales);
    if (hasBias) dot = i32x4.add(dot, i32x4.shl(sum, 7));
    let acc = add_scaled(v128.load(at), dot, scale, xScale);
    if (hasBias) acc = add_scaled(acc, sum, bias, xScale);
    v128.store(at, acc);
  }
}
