// Chooses the packing of a strip of rows by format; see kernels/pack.ts.

import { pack_float, pack_q4, pack_q8 } from './kernels/pack';
import { pack_lut4 } from './kernels/pack_lut4';
import { BLOCK, DTYPE_F16, DTYPE_F32, FORMAT_FLOAT, FORMAT_LUT4, FORMAT_Q4 } from './op_layout';

/**
 * Packs `rows` rows of k weights from row-major `values` (and scales, biases) to panels at `to`.
 * biases: 0 if the format has none; the tables of a palette. Returns the first row that is not finite, or -1.
 */
export function pack_tensor(
  format: u32,
  dtype: u32,
  to: usize,
  values: usize,
  scales: usize,
  biases: usize,
  rows: u32,
  k: u32,
): i32 {
  if (format == FORMAT_FLOAT) {
    if (dtype == DTYPE_F32) return pack_float<f32>(to, values, rows, k);
    if (dtype == DTYPE_F16) return pack_float<i16>(to, values, rows, k);
    return pack_float<u16>(to, values, rows, k);
  }
  if (dtype == DTYPE_F32) return pack_blocks<f32>(format, to, values, scales, biases, rows, k);
  if (dtype == DTYPE_F16) return pack_blocks<i16>(format, to, values, scales, biases, rows, k);
  return pack_blocks<u16>(format, to, values, scales, biases, rows, k);
}

/** S: the type of scales and biases. */
function pack_blocks<S>(
  format: u32,
  to: usize,
  values: usize,
  scales: usize,
  biases: usize,
  rows: u32,
  k: u32,
): i32 {
  const blocks = (k + BLOCK - 1) / BLOCK;
  if (format == FORMAT_LUT4) return pack_lut4<S>(to, values, scales, biases, rows, blocks);
  const hasBias: u32 = biases ? 1 : 0;
  if (format == FORMAT_Q4) return pack_q4<S>(to, values, scales, biases, rows, blocks, hasBias);
  return pack_q8<S>(to, values, scales, biases, rows, blocks, hasBias);
}
