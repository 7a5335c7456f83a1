// Y = X W^T for m rows of int8 activations and 4-bit palettes: matvec_lut4's sum, in the same order, for
// every row.
//
//   y, x, xScales, xSums as operands.ts draws them
//   weights     as in matvec_lut4
//   sums    f32 [m, 8]            scratch: the panel's running sums, without the rows' scales
//
// Half a block of a panel, 4 rows x 32 k, is looked up into 8 vectors and
// serves all m rows before the next is touched.

import { dot4_i8_u7, swizzle } from '../simd';
import { LUT4_HEAD } from './matvec_lut4';
import { NIBBLES } from './matvec_q4';
import { blocks_of, weights_of, x_block, x_scales_block, x_sums_block } from './operands';
import { store_panel } from './panel';

export function matmul_lut4(
  op: usize,
  packed: usize,
  sums: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const blocks = blocks_of(op);
  const panelBytes = LUT4_HEAD + ((<usize>blocks) << 7);
  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    const head = weights_of(packed) + <usize>panel * panelBytes;
    let w = head + LUT4_HEAD;
    for (let b: u32 = 0; b < blocks; b++, w += 128) {
      const x = x_block(op, b, m);
      const xScales = x_scales_block(op, b, m);
      const xSums = x_sums_block(op, b, m);
      half_block(sums, x, xScales, xSums, head, w, 0, m);
      half_block(sums, x, xScales, xSums, head, w, 4, m);
    }
    const lowScales = v128.load(head, 16);
    const highScales = v128.load(head, 32);
    for (let i: u32 = 0; i < m; i++) {
      const at = sums + ((<usize>i) << 5);
      const low = f32x4.mul(v128.load(at), lowScales);
      store_panel(op, i, panel, low, f32x4.mul(v128.load(at, 16), highScales));
    }
  }
}

/** Adds one block of k for rows [half, half + 4) of the panel (half 0 or 4) to the sums of all m rows. */
function half_block(
  sums: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  table: usize,
  w: usize,
  half: usize,
  m: u32,
): void {
  const lut = v128.load(table);
  const nibbles = v128.load(NIBBLES);
  const ones = i16x8.shr_u(nibbles, 11);
  const q = w + (half << 4);
  const q0 = v128.load(q);
  const q1 = v128.load(q, 16);
  const q2 = v128.load(q, 32);
  const q3 = v128.load(q, 48);
  const w0 = swizzle(lut, v128.and(q0, nibbles));
  const w1 = swizzle(lut, v128.and(i16x8.shr_u(q0, 4), nibbles));
  const w2 = swizzle(lut, v128.and(q1, nibbles));
  const w3 = swizzle(lut, v128.and(i16x8.shr_u(q1, 4), nibbles));
  const w4 = swizzle(lut, v128.and(q2, nibbles));
  const w5 = swizzle(lut, v128.and(i16x8.shr_u(q2, 4), nibbles));
  const w6 = swizzle(lut, v128.and(q3, nibbles));
  const w7 = swizzle(lut, v128.and(i16x8.shr_u(q3, 4), nibbles));

  let at = sums + (half << 2);
  for (
    const last = at + ((<usize>m) << 5);
    at < last;
    at += 32, x += 32, xScales += 4, xSums += 4
  ) {
    let dot = dot4_i8_u7(v128.load32_splat(x), w0, ones);
    dot = i32x4.add(dot, dot4_i8_u7(v128.load32_splat(x, 4), w1, ones));
    dot = i32x4.add(dot, dot4_i8_u7(v128.load32_splat(x, 8), w2, ones));
    dot = i32x4.add(dot, dot4_i8_u7(v128.load32_splat(x, 12), w3, ones));
    dot = i32x4.add(dot, dot4_i8_u7(v128.load32_splat(x, 16), w4, ones));
    dot = i32x4.add(dot, dot4_i8_u7(v128.load32_splat(x, 20), w5, ones));
    dot = i32x4.add(dot, dot4_i8_u7(v128.load32_splat(x, 24), w6, ones));
    dot = i32x4.add(dot, dot4_i8_u7(v128.load32_splat(x, 28), w7, ones));

    dot = i32x4.sub(dot, i32x4.shl(v128.load32_splat(xSums), 6));
    const scaled = f32x4.mul(f32x4.convert_i32x4_s(dot), v128.load32_splat(xScales));
    v128.store(at, f32x4.add(v128.load(at), scaled));
  }
}
