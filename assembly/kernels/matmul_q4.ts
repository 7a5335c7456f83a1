// Y = X W^T for m rows of int8 activations and 4-bit weights: matvec_q4's sum, in the same order, for
// every row.
//
//   y       f32 [m, n]
//   x       i8  [blocks, m, 32]   block-major: the m rows of a block are read one after the other
//   xScales f32 [blocks, m]
//   xSums   i32 [blocks, m]
//   weights     as in matvec_q4
//   sums    f32 [m, 8]            scratch: the panel's running sums
//
// Computes panels [begin, end). Half a block of a panel, 4 rows x 32 k, is unpacked into 8 vectors and
// serves all m rows before the next is touched.

import { dot_i8_u7, load4 } from '../simd';
import { NIBBLES } from './matvec_q4';
import { add_scaled, store_panel } from './panel';

export function matmul_q4<S>(
  y: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  weights: usize,
  sums: usize,
  m: u32,
  n: u32,
  blocks: u32,
  hasBias: u32,
  begin: u32,
  end: u32,
): void {
  const record: usize = 128 + ((8 * sizeof<S>()) << hasBias);
  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    let w = weights + <usize>panel * blocks * record;
    for (let b: usize = 0; b < blocks; b++, w += record) {
      const xb = x + ((b * m) << 5);
      const row = (b * m) << 2;
      half_block<S>(sums, xb, xScales + row, xSums + row, w, 0, m, hasBias);
      half_block<S>(sums, xb, xScales + row, xSums + row, w, 4, m, hasBias);
    }
    for (let i: usize = 0; i < m; i++) {
      const at = sums + (i << 5);
      store_panel(y + ((i * n) << 2), n, panel, v128.load(at), v128.load(at, 16));
    }
  }
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
  const nibbles = v128.load(NIBBLES);
  const shift = <i32>half; // 0: low nibbles, 4: high nibbles
  const w0 = v128.and(i16x8.shr_u(v128.load(w), shift), nibbles);
  const w1 = v128.and(i16x8.shr_u(v128.load(w, 16), shift), nibbles);
  const w2 = v128.and(i16x8.shr_u(v128.load(w, 32), shift), nibbles);
  const w3 = v128.and(i16x8.shr_u(v128.load(w, 48), shift), nibbles);
  const w4 = v128.and(i16x8.shr_u(v128.load(w, 64), shift), nibbles);
  const w5 = v128.and(i16x8.shr_u(v128.load(w, 80), shift), nibbles);
  const w6 = v128.and(i16x8.shr_u(v128.load(w, 96), shift), nibbles);
  const w7 = v128.and(i16x8.shr_u(v128.load(w, 112), shift), nibbles);
  const scale = load4<S>(w + 128 + half * sizeof<S>());
  const bias = hasBias ? load4<S>(w + 128 + (half + 8) * sizeof<S>()) : f32x4.splat(0);

  let at = sums + (half << 2);
  for (
    const last = at + ((<usize>m) << 5);
    at < last;
    at += 32, x += 32, xScales += 4, xSums += 4
  ) {
    let dots = dot_i8_u7(v128.load32_splat(x), w0);
    dots = i16x8.add(dots, dot_i8_u7(v128.load32_splat(x, 4), w1));
    dots = i16x8.add(dots, dot_i8_u7(v128.load32_splat(x, 8), w2));
    dots = i16x8.add(dots, dot_i8_u7(v128.load32_splat(x, 12), w3));
    dots = i16x8.add(dots, dot_i8_u7(v128.load32_splat(x, 16), w4));
    dots = i16x8.add(dots, dot_i8_u7(v128.load32_splat(x, 20), w5));
    dots = i16x8.add(dots, dot_i8_u7(v128.load32_splat(x, 24), w6));
    dots = i16x8.add(dots, dot_i8_u7(v128.load32_splat(x, 28), w7));

    const sum = v128.load32_splat(xSums);
    const zeros = hasBias ? i32x4.splat(0) : i32x4.shl(sum, 3);
    const xScale = v128.load32_splat(xScales);
    const dot = i32x4.sub(i32x4.extadd_pairwise_i16x8_s(dots), zeros);
    let acc = add_scaled(v128.load(at), dot, scale, xScale);
    if (hasBias) acc = add_scaled(acc, sum, bias, xScale);
    v128.store(at, acc);
  }
}
