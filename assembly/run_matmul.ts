// From a packed matrix to its kernel: the header says which, a line here per instance.

import { add_outliers, embed_outliers, has_outliers } from './kernels/add_outliers';
import { group_of, is_palette } from './kernels/code_panel';
import { embed_codes, embed_float, embed_linear, embed_lut4 } from './kernels/embed';
import { embed_sparse } from './kernels/embed_sparse';
import { matmul_codes_float } from './kernels/matmul_codes_float';
import { matmul_float } from './kernels/matmul_float';
import { matmul_lut4 } from './kernels/matmul_lut4';
import { matmul_q4 } from './kernels/matmul_q4';
import { matmul_q8 } from './kernels/matmul_q8';
import { matmul_sparse } from './kernels/matmul_sparse';
import { matmul_sparse_float } from './kernels/matmul_sparse_float';
import { matmul_tile } from './kernels/matmul_tile';
import { matvec_codes } from './kernels/matvec_codes';
import { matvec_lut } from './kernels/matvec_lut';
import { matvec_lut4 } from './kernels/matvec_lut4';
import { matvec_q4 } from './kernels/matvec_q4';
import { matvec_q4_baseline } from './kernels/matvec_q4_baseline';
import { matvec_q8 } from './kernels/matvec_q8';
import { dtype_of, has_bias } from './kernels/operands';
import { Bits1, Bits2, Bits3, Bits4, Bits5, Bits6, Bits8 } from './kernels/widths';
import * as layout from './op_layout';

/** Panels [begin, end) of Y = X W^T (operands.ts) for m rows. scratch: this thread's. */
export function run_matmul(
  op: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  dense_matmul(op, packed, scratch, m, begin, end);
  if (has_outliers(packed)) add_outliers(op, packed, m, begin, end);
}

/** Rows [begin, end) of OP_OUT [rows, k]: the rows of the matrix at `packed` that the step's tokens name. */
export function run_embed(op: usize, packed: usize, rows: usize, begin: u32, end: u32): void {
  dense_embed(op, packed, rows, begin, end);
  if (has_outliers(packed)) embed_outliers(op, packed, rows, begin, end);
}

function dense_matmul(
  op: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  switch (load<u32>(packed, layout.PACKED_KERNEL)) {
    case layout.KERNEL_FLOAT:
      if (dtype_of(packed) == layout.DTYPE_F32)
        matmul_float<f32>(op, packed, scratch, m, begin, end);
      else if (dtype_of(packed) == layout.DTYPE_F16)
        matmul_float<i16>(op, packed, scratch, m, begin, end);
      else matmul_float<u16>(op, packed, scratch, m, begin, end);
      return;
    case layout.KERNEL_LUT4:
      if (m == 1) matvec_lut4(op, packed, begin, end);
      else matmul_lut4(op, packed, scratch, m, begin, end);
      return;
    case layout.KERNEL_CODES:
      return codes(op, packed, scratch, m, begin, end);
    case layout.KERNEL_CODES_FLOAT:
      return matmul_codes_float(op, packed, scratch, m, begin, end);
    case layout.KERNEL_SPARSE:
      return matmul_sparse(op, packed, scratch, m, begin, end);
    case layout.KERNEL_SPARSE_FLOAT:
      return matmul_sparse_float(op, packed, scratch, m, begin, end);
    default:
      if (dtype_of(packed) == layout.DTYPE_F32) blocks<f32>(op, packed, scratch, m, begin, end);
      else if (dtype_of(packed) == layout.DTYPE_F16)
        blocks<i16>(op, packed, scratch, m, begin, end);
      else blocks<u16>(op, packed, scratch, m, begin, end);
  }
}

function dense_embed(op: usize, packed: usize, rows: usize, begin: u32, end: u32): void {
  switch (load<u32>(packed, layout.PACKED_KERNEL)) {
    case layout.KERNEL_FLOAT:
      return embed_float(op, packed, rows, begin, end);
    case layout.KERNEL_Q4:
      return embed_linear(op, packed, rows, 4, begin, end);
    case layout.KERNEL_Q8:
      return embed_linear(op, packed, rows, 8, begin, end);
    case layout.KERNEL_LUT4:
      return embed_lut4(op, packed, rows, begin, end);
    case layout.KERNEL_CODES:
    case layout.KERNEL_CODES_FLOAT:
      return embed_codes(op, packed, rows, begin, end);
    case layout.KERNEL_SPARSE:
    case layout.KERNEL_SPARSE_FLOAT:
      return embed_sparse(op, packed, rows, begin, end);
    default:
      unreachable();
  }
}

/** KERNEL_Q4 and KERNEL_Q8. S: the type of scales and biases. */
function blocks<S>(op: usize, packed: usize, scratch: usize, m: u32, begin: u32, end: u32): void {
  if (load<u32>(packed, layout.PACKED_KERNEL) == layout.KERNEL_Q8) {
    if (m != 1) matmul_q8(op, packed, scratch, m, begin, end);
    else if (has_bias(packed)) matvec_q8<S, S>(op, packed, begin, end);
    else matvec_q8<S, void>(op, packed, begin, end);
  } else if (has_bias(packed)) {
    q4<S, S>(op, packed, scratch, m, begin, end);
  } else {
    q4<S, void>(op, packed, scratch, m, begin, end);
  }
}

function q4<S, B>(op: usize, packed: usize, scratch: usize, m: u32, begin: u32, end: u32): void {
  if (m != 1) matmul_q4<S, B>(op, packed, scratch, m, begin, end);
  else if (ASC_FEATURE_RELAXED_SIMD) matvec_q4<S, B>(op, packed, begin, end);
  else matvec_q4_baseline<S, B>(op, packed, scratch, begin, end);
}

/** PACKED_MATVEC: bits of the kernel that runs one row; 0: there is none, and the tile does that too. */
function codes(op: usize, packed: usize, scratch: usize, m: u32, begin: u32, end: u32): void {
  const bits = m == 1 ? load<u32>(packed, layout.PACKED_MATVEC) : 0;
  const dtype = group_of(packed) == 0 ? layout.DTYPE_F16 : dtype_of(packed);
  const hasBias = group_of(packed) != 0 && has_bias(packed);
  if (bits == 0) matmul_tile(op, packed, scratch, m, begin, end);
  else if (is_palette(packed)) palette(bits, op, packed, begin, end);
  else if (dtype == layout.DTYPE_F16 && hasBias) linear<i16, i16>(bits, op, packed, begin, end);
  else if (dtype == layout.DTYPE_F16) linear<i16, void>(bits, op, packed, begin, end);
  else if (ASC_FEATURE_RELAXED_SIMD && dtype == layout.DTYPE_BF16 && hasBias)
    linear<u16, u16>(bits, op, packed, begin, end);
  else matmul_tile(op, packed, scratch, m, begin, end);
}

/** S: of scales, B: of biases of groups, or void. */
function linear<S, B>(bits: u32, op: usize, packed: usize, begin: u32, end: u32): void {
  if (bits == 1) matvec_codes<Bits1, S, B>(op, packed, begin, end);
  else if (bits == 2) matvec_codes<Bits2, S, B>(op, packed, begin, end);
  else if (bits == 3) matvec_codes<Bits3, S, B>(op, packed, begin, end);
  else if (bits == 4) matvec_codes<Bits4, S, B>(op, packed, begin, end);
  else if (bits == 5) matvec_codes<Bits5, S, B>(op, packed, begin, end);
  else if (bits == 6) matvec_codes<Bits6, S, B>(op, packed, begin, end);
  else matvec_codes<Bits8, S, B>(op, packed, begin, end);
}

function palette(bits: u32, op: usize, packed: usize, begin: u32, end: u32): void {
  if (bits == 1) matvec_lut<Bits1>(op, packed, begin, end);
  else if (bits == 2) matvec_lut<Bits2>(op, packed, begin, end);
  else if (bits == 3) matvec_lut<Bits3>(op, packed, begin, end);
  else if (bits == 4) matvec_lut<Bits4>(op, packed, begin, end);
  else matvec_lut<Bits6>(op, packed, begin, end);
}
