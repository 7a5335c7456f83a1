// Y = X W^T for m rows of int8 activations and 4-bit weights: matvec_q4's sum, in the same order, for
// every row.
//
//   y, x, xScales, xSums as operands.ts draws them
//   weights     as in matvec_q4
//   sums    f32 [m, 8]            scratch: the panel's running sums
//
// Half a block of a panel, 4 rows x 32 k, is unpacked into 8 vectors and
// serves all m rows before the next is touched.

import { dot_i8_u7, load4 } from '../simd';
import { centred, NIBBLES, q4_record } from './matvec_q4';
import { blocks_of, weights_of, x_block, x_scales_block, x_sums_block } from './operands';
import { add_scaled, store_panel } from './panel';

export function matmul_q4<S, B>(
  op: usize,
  packed: usize,
  sums: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const blocks = blocks_of(op);
  const record = q4_record<S, B>();
  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    let w = weights_of(packed) + <usize>panel * blocks * record;
    for (let b: u32 = 0; b < blocks; b++, w += record) {
      const x = x_block(op, b, m);
      const xScales = x_scales_block(op, b, m);
      const xSums = x_sums_block(op, b, m);
      half_block<S, B>(sums, x, xScales, xSums, w, 0, m);
      half_block<S, B>(sums, x, xScales, xSums, w, 4, m);
    }
    for (let i: u32 = 0; i < m; i++) {
      const at = sums + ((<usize>i) << 5);
      store_panel(op, i, panel, v128.load(at), v128.load(at, 16));
    }
  }
}

/** Adds one block of k for rows [half, half + 4) of the panel (half 0 or 4) to the sums of all m rows. */
function half_block<S, B>(
  sums: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  w: usize,
  half: usize,
  m: u32,
): void {
  const nibbles = v128.load(NIBBLES);
  const q = w + (half << 4);
  const q0 = v128.load(q);
  const q1 = v128.load(q, 16);
  const q2 = v128.load(q, 32);
  const q3 = v128.load(q, 48);
  const w0 = v128.and(q0, nibbles);
  const w1 = v128.and(i16x8.shr_u(q0, 4), nibbles);
  const w2 = v128.and(q1, nibbles);
  const w3 = v128.and(i16x8.shr_u(q1, 4), nibbles);
  const w4 = v128.and(q2, nibbles);
  const w5 = v128.and(i16x8.shr_u(q2, 4), nibbles);
  const w6 = v128.and(q3, nibbles);
  const w7 = v128.and(i16x8.shr_u(q3, 4), nibbles);
  const scale = load4<S>(w + 128 + half * sizeof<S>());
  const bias = isVoid<B>() ? f32x4.splat(0) : load4<S>(w + 128 + (half + 8) * sizeof<S>());

  let at = sums + (half << 2);
  for (
    const last = at + ((<usize>m) << 5);
    at < last;
    at += 32, x += 32, xScales += 4, xSums += 4
  ) {
    const d0 = dot_i8_u7(v128.load32_splat(x), w0);
    const d1 = dot_i8_u7(v128.load32_splat(x, 4), w1);
    const d2 = dot_i8_u7(v128.load32_splat(x, 8), w2);
    const d3 = dot_i8_u7(v128.load32_splat(x, 12), w3);
    const d4 = dot_i8_u7(v128.load32_splat(x, 16), w4);
    const d5 = dot_i8_u7(v128.load32_splat(x, 20), w5);
    const d6 = dot_i8_u7(v128.load32_splat(x, 24), w6);
    const d7 = dot_i8_u7(v128.load32_splat(x, 28), w7);
    const d03 = i16x8.add(i16x8.add(d0, d1), i16x8.add(d2, d3));
    const dots = i16x8.add(d03, i16x8.add(i16x8.add(d4, d5), i16x8.add(d6, d7)));

    const sum = v128.load32_splat(xSums);
    const xScale = v128.load32_splat(xScales);
    let acc = add_scaled(v128.load(at), centred<B>(dots, sum), scale, xScale);
    if (!isVoid<B>()) acc = add_scaled(acc, sum, bias, xScale);
    v128.store(at, acc);
  }
}
