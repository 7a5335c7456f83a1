// From a packed matrix to its kernel: the header says which one, a line here per instance.

import { embed_codes, embed_float, embed_linear, embed_lut4 } from './kernels/embed';
import { matmul_float } from './kernels/matmul_float';
import { matmul_lut4 } from './kernels/matmul_lut4';
import { matmul_q4 } from './kernels/matmul_q4';
import { matmul_q8 } from './kernels/matmul_q8';
import { matmul_tile } from './kernels/matmul_tile';
import { Bits1, Bits2, Bits3, Bits5, Bits6, matvec_codes } from './kernels/matvec_codes';
import { matvec_lut4 } from './kernels/matvec_lut4';
import { matvec_q4 } from './kernels/matvec_q4';
import { matvec_q4_baseline } from './kernels/matvec_q4_baseline';
import { matvec_q8 } from './kernels/matvec_q8';
import * as layout from './op_layout';

/** Panels [begin, end) of OP_OUT [m, n] = OP_X [m, k] times the matrix at `packed`, transposed. */
export function run_matmul(
  op: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const dtype = load<u32>(packed, layout.PACKED_DTYPE);
  switch (load<u32>(packed, layout.PACKED_KERNEL)) {
    case layout.KERNEL_FLOAT:
      if (dtype == layout.DTYPE_F32) return float<f32>(op, packed, m, begin, end);
      if (dtype == layout.DTYPE_F16) return float<i16>(op, packed, m, begin, end);
      return float<u16>(op, packed, m, begin, end);
    case layout.KERNEL_Q4:
      if (dtype == layout.DTYPE_F32) return q4<f32>(op, packed, scratch, m, begin, end);
      if (dtype == layout.DTYPE_F16) return q4<i16>(op, packed, scratch, m, begin, end);
      return q4<u16>(op, packed, scratch, m, begin, end);
    case layout.KERNEL_Q8:
      if (dtype == layout.DTYPE_F32) return q8<f32>(op, packed, scratch, m, begin, end);
      if (dtype == layout.DTYPE_F16) return q8<i16>(op, packed, scratch, m, begin, end);
      return q8<u16>(op, packed, scratch, m, begin, end);
    case layout.KERNEL_LUT4:
      return lut4(op, packed, scratch, m, begin, end);
    case layout.KERNEL_CODES:
      return codes(op, packed, scratch, m, begin, end);
    default:
      unreachable();
  }
}

/** Rows [begin, end) of out [rows, k]: the rows of the matrix at `packed` that the step's tokens name. */
export function run_embed(
  out: usize,
  rows: usize,
  packed: usize,
  k: u32,
  begin: u32,
  end: u32,
): void {
  const w = packed + layout.PACKED_BYTES;
  const dtype = load<u32>(packed, layout.PACKED_DTYPE);
  const kernel = load<u32>(packed, layout.PACKED_KERNEL);
  if (kernel == layout.KERNEL_FLOAT) {
    if (dtype == layout.DTYPE_F32) return embed_float<f32>(out, rows, w, k, begin, end);
    if (dtype == layout.DTYPE_F16) return embed_float<i16>(out, rows, w, k, begin, end);
    return embed_float<u16>(out, rows, w, k, begin, end);
  }
  if (kernel == layout.KERNEL_LUT4) return embed_lut4(out, rows, w, k, begin, end);
  if (kernel == layout.KERNEL_CODES) return embed_codes(out, rows, packed, k, begin, end);
  const bits: u32 = kernel == layout.KERNEL_Q4 ? 4 : 8;
  const hasBias = load<u32>(packed, layout.PACKED_HAS_BIAS);
  if (dtype == layout.DTYPE_F32)
    return embed_linear<f32>(out, rows, w, k, bits, hasBias, begin, end);
  if (dtype == layout.DTYPE_F16)
    return embed_linear<i16>(out, rows, w, k, bits, hasBias, begin, end);
  return embed_linear<u16>(out, rows, w, k, bits, hasBias, begin, end);
}

// The functions below read the fields of an op for one kernel; types are those of weights or scales.

function float<T>(op: usize, packed: usize, m: u32, begin: u32, end: u32): void {
  const w = packed + layout.PACKED_BYTES;
  const k = load<u32>(op, layout.OP_K);
  matmul_float<T>(y_of(op), x_of(op), w, m, n_of(op), k, begin, end);
}

function q4<S>(op: usize, packed: usize, scratch: usize, m: u32, begin: u32, end: u32): void {
  const y = y_of(op);
  const x = x_of(op);
  const xs = load<u32>(op, layout.OP_SCALES);
  const sums = load<u32>(op, layout.OP_SUMS);
  const w = packed + layout.PACKED_BYTES;
  const n = n_of(op);
  const blocks = blocks_of(op);
  const hasBias = load<u32>(packed, layout.PACKED_HAS_BIAS);
  if (m != 1) {
    if (hasBias) matmul_q4<S, S>(y, x, xs, sums, w, scratch, m, n, blocks, begin, end);
    else matmul_q4<S, void>(y, x, xs, sums, w, scratch, m, n, blocks, begin, end);
  } else if (ASC_FEATURE_RELAXED_SIMD) {
    if (hasBias) matvec_q4<S, S>(y, x, xs, sums, w, n, blocks, begin, end);
    else matvec_q4<S, void>(y, x, xs, sums, w, n, blocks, begin, end);
  } else if (hasBias) {
    matvec_q4_baseline<S, S>(y, x, xs, sums, w, scratch, n, blocks, begin, end);
  } else {
    matvec_q4_baseline<S, void>(y, x, xs, sums, w, scratch, n, blocks, begin, end);
  }
}

function q8<S>(op: usize, packed: usize, scratch: usize, m: u32, begin: u32, end: u32): void {
  const y = y_of(op);
  const x = x_of(op);
  const xs = load<u32>(op, layout.OP_SCALES);
  const sums = load<u32>(op, layout.OP_SUMS);
  const w = packed + layout.PACKED_BYTES;
  const n = n_of(op);
  const blocks = blocks_of(op);
  const hasBias = load<u32>(packed, layout.PACKED_HAS_BIAS);
  if (m != 1) matmul_q8<S>(y, x, xs, sums, w, scratch, m, n, blocks, hasBias, begin, end);
  else if (hasBias) matvec_q8<S, S>(y, x, xs, sums, w, n, blocks, begin, end);
  else matvec_q8<S, void>(y, x, xs, sums, w, n, blocks, begin, end);
}

function lut4(op: usize, packed: usize, scratch: usize, m: u32, begin: u32, end: u32): void {
  const y = y_of(op);
  const x = x_of(op);
  const xs = load<u32>(op, layout.OP_SCALES);
  const sums = load<u32>(op, layout.OP_SUMS);
  const w = packed + layout.PACKED_BYTES;
  const n = n_of(op);
  const blocks = blocks_of(op);
  if (m == 1) matvec_lut4(y, x, xs, sums, w, n, blocks, begin, end);
  else matmul_lut4(y, x, xs, sums, w, scratch, m, n, blocks, begin, end);
}

/** Groups of half a block, palettes, and widths without a matvec go through the tile even for one row. */
function codes(op: usize, packed: usize, scratch: usize, m: u32, begin: u32, end: u32): void {
  const y = y_of(op);
  const x = x_of(op);
  const xs = load<u32>(op, layout.OP_SCALES);
  const sums = load<u32>(op, layout.OP_SUMS);
  const n = n_of(op);
  const blocks = blocks_of(op);
  if (m != 1) return matmul_tile(y, x, xs, sums, packed, scratch, m, n, blocks, begin, end);
  switch (load<u32>(packed, layout.PACKED_MATVEC)) {
    case 1:
      return matvec<Bits1>(y, x, xs, sums, packed, scratch, n, blocks, begin, end);
    case 2:
      return matvec<Bits2>(y, x, xs, sums, packed, scratch, n, blocks, begin, end);
    case 3:
      return matvec<Bits3>(y, x, xs, sums, packed, scratch, n, blocks, begin, end);
    case 5:
      return matvec<Bits5>(y, x, xs, sums, packed, scratch, n, blocks, begin, end);
    case 6:
      return matvec<Bits6>(y, x, xs, sums, packed, scratch, n, blocks, begin, end);
    default:
      return matmul_tile(y, x, xs, sums, packed, scratch, m, n, blocks, begin, end);
  }
}

function matvec<Width>(
  y: usize,
  x: usize,
  xs: usize,
  sums: usize,
  packed: usize,
  scratch: usize,
  n: u32,
  blocks: u32,
  begin: u32,
  end: u32,
): void {
  const inGroups = load<u32>(packed, layout.PACKED_GROUP) != 0;
  if (inGroups && load<u32>(packed, layout.PACKED_HAS_BIAS)) {
    matvec_codes<Width, f32>(y, x, xs, sums, packed, scratch, n, blocks, begin, end);
  } else {
    matvec_codes<Width, void>(y, x, xs, sums, packed, scratch, n, blocks, begin, end);
  }
}

function y_of(op: usize): usize {
  return load<u32>(op, layout.OP_OUT);
}

function x_of(op: usize): usize {
  return load<u32>(op, layout.OP_X);
}

function n_of(op: usize): u32 {
  return load<u32>(op, layout.OP_N);
}

function blocks_of(op: usize): u32 {
  return (load<u32>(op, layout.OP_K) + layout.BLOCK - 1) / layout.BLOCK;
}
