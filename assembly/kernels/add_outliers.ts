// Y += X S^T: S [n, k] is sparse, the outliers of a matrix whose dense part has given Y already.
//
//   y[i, o] += sum over the outliers of row o, k ascending, of value * x[i, k]
//
//   y, x, xScales as operands.ts draws them; int8 x means q * xScale
//   outliers, at PACKED_OUTLIERS from the matrix:
//     starts  u32 [ceil(n / 8) + 1]  where the outliers of a panel begin, from the matrix on
//     then    { u32 row, u16 column, f16 value } each, by row, then by column
//
// Caller guarantees rows below n and columns below k. All of it is f32, each sum of a row begins at zero.

import {
  BLOCK,
  KERNEL_CODES_FLOAT,
  PACKED_KERNEL,
  PACKED_OUTLIERS,
  PANEL,
  ROW_BYTES,
  ROW_TOKEN,
} from '../op_layout';
import { load1 } from '../simd';
import { k_of, n_of, x_block, x_of, x_scales_block, y_of } from './operands';

const OUTLIER: usize = 8;
const COLUMN: usize = 4;
const VALUE: usize = 6;

export function has_outliers(packed: usize): bool {
  return load<u32>(packed, PACKED_OUTLIERS) != 0;
}

/** Panels [begin, end) for all m rows. */
export function add_outliers(op: usize, packed: usize, m: u32, begin: u32, end: u32): void {
  const n = n_of(op);
  const last = outliers_of(packed, end);
  for (let at = outliers_of(packed, begin), next = at; at < last; at = next) {
    const row = load<u32>(at);
    do next += OUTLIER;
    while (next < last && load<u32>(next) == row);
    for (let i: u32 = 0; i < m; i++) {
      const y = y_of(op) + ((<usize>i * n + row) << 2);
      store<f32>(y, load<f32>(y) + dot(op, packed, m, i, at, next));
    }
  }
}

/** Row i of x times the outliers [at, end) of one row. */
function dot(op: usize, packed: usize, m: u32, i: u32, at: usize, end: usize): f32 {
  let sum: f32 = 0;
  for (; at < end; at += OUTLIER) {
    const column = <u32>load<u16>(at, COLUMN);
    sum += load1<i16>(at + VALUE) * x_at(op, packed, m, i, column);
  }
  return sum;
}

function x_at(op: usize, packed: usize, m: u32, i: u32, column: u32): f32 {
  if (load<u32>(packed, PACKED_KERNEL) == KERNEL_CODES_FLOAT) {
    return load<f32>(x_of(op) + ((<usize>i * k_of(op) + column) << 2));
  }
  const b = column / BLOCK;
  const q = load<i8>(x_block(op, b, m) + ((<usize>i) << 5) + (column % BLOCK));
  return <f32>q * load<f32>(x_scales_block(op, b, m) + ((<usize>i) << 2));
}

/** Adds to rows [begin, end) of OP_OUT [rows, k] the outliers of the matrix's rows that the tokens name. */
export function embed_outliers(op: usize, packed: usize, rows: usize, begin: u32, end: u32): void {
  const k = k_of(op);
  for (let row = begin; row < end; row++) {
    const token = load<u32>(rows + row * ROW_BYTES, ROW_TOKEN);
    const to = y_of(op) + ((<usize>row * k) << 2);
    const last = outliers_of(packed, token / PANEL + 1);
    for (let at = outliers_of(packed, token / PANEL); at < last; at += OUTLIER) {
      if (load<u32>(at) != token) continue;
      const x = to + ((<usize>load<u16>(at, COLUMN)) << 2);
      store<f32>(x, load<f32>(x) + load1<i16>(at + VALUE));
    }
  }
}

/** The first outlier of a panel. */
function outliers_of(packed: usize, panel: u32): usize {
  return packed + load<u32>(packed + load<u32>(packed, PACKED_OUTLIERS) + ((<usize>panel) << 2));
}
