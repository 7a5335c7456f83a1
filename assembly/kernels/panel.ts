// What the matmul kernels share: a panel is 8 output rows whose weights are interleaved, and its sums live
// in two vectors, rows 0-3 and rows 4-7.

import { PANEL } from '../op_layout';
import { n_of, y_of } from './operands';

/** Stores the 8 sums of panel `panel` into row i of y [m, n]; a last panel of fewer rows is cut. */
export function store_panel(op: usize, i: u32, panel: u32, low: v128, high: v128): void {
  const n = n_of(op);
  const first = panel * PANEL;
  const at = y_of(op) + ((<usize>i * n + first) << 2);
  if (first + PANEL <= n) {
    v128.store(at, low);
    v128.store(at, high, 16);
    return;
  }
  for (let r: u32 = 0, rest = n - first; r < rest; r++) {
    store<f32>(at + ((<usize>r) << 2), lane(r < 4 ? low : high, r & 3));
  }
}

function lane(v: v128, i: u32): f32 {
  if (i == 0) return f32x4.extract_lane(v, 0);
  if (i == 1) return f32x4.extract_lane(v, 1);
  return i == 2 ? f32x4.extract_lane(v, 2) : f32x4.extract_lane(v, 3);
}

/** Where row `row` of a panel has its first 4 bytes in a block of nibbles (drawn in matvec_q4.ts). */
export function nibbles_of_row(row: u32): usize {
  return ((<usize>row & 4) << 4) + ((<usize>row & 3) << 2);
}

/** acc + f32(dot) * (scale * xScale): the one expression that every quantized matmul sums with. */
export function add_scaled(acc: v128, dot: v128, scale: v128, xScale: v128): v128 {
  return f32x4.add(acc, f32x4.mul(f32x4.convert_i32x4_s(dot), f32x4.mul(scale, xScale)));
}

/** The dots of four rows from two vectors of partial sums. */
export function gathered(a: v128, b: v128): v128 {
  return i32x4.add(i32x4.shuffle(a, b, 0, 2, 4, 6), i32x4.shuffle(a, b, 1, 3, 5, 7));
}
