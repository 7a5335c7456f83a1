// Chooses the packing of a strip of rows by the matrix's header; see kernels/pack.ts.

import { pack_float, pack_q4, pack_q8 } from './kernels/pack';
import { pack_codes } from './kernels/pack_codes';
import { pack_lut4 } from './kernels/pack_lut4';
import { pack_sparse } from './kernels/pack_sparse';
import {
  BLOCK,
  DTYPE_F16,
  DTYPE_F32,
  KERNEL_CODES,
  KERNEL_CODES_FLOAT,
  KERNEL_FLOAT,
  KERNEL_LUT4,
  KERNEL_Q4,
  PACKED_DTYPE,
  PACKED_HAS_BIAS,
  PACKED_KERNEL,
} from './op_layout';

/**
 * Packs `rows` rows of k weights from row-major parts to the panels at `to`, of the matrix whose header stands at
 * `packed`. Parts that its format does not have are 0. Returns the first row that is not finite, or -1.
 */
export function pack_tensor(
  packed: usize,
  to: usize,
  rows: u32,
  k: u32,
  codes: usize,
  scales: usize,
  biases: usize,
  lut: usize,
  scaleSteps: usize,
  biasSteps: usize,
  mask: usize,
  starts: usize,
): i32 {
  const dtype = load<u32>(packed, PACKED_DTYPE);
  if (load<u32>(packed, PACKED_KERNEL) == KERNEL_FLOAT) {
    if (dtype == DTYPE_F32) return pack_float<f32>(to, codes, rows, k);
    if (dtype == DTYPE_F16) return pack_float<i16>(to, codes, rows, k);
    return pack_float<u16>(to, codes, rows, k);
  }
  if (mask) return pack_sparse(packed, to, codes, scales, biases, mask, starts, rows, k);
  if (dtype == DTYPE_F32)
    return pack_parts<f32>(packed, to, rows, k, codes, scales, biases, lut, scaleSteps, biasSteps);
  if (dtype == DTYPE_F16)
    return pack_parts<i16>(packed, to, rows, k, codes, scales, biases, lut, scaleSteps, biasSteps);
  return pack_parts<u16>(packed, to, rows, k, codes, scales, biases, lut, scaleSteps, biasSteps);
}

/** S: the type of scales and biases. */
function pack_parts<S>(
  packed: usize,
  to: usize,
  rows: u32,
  k: u32,
  codes: usize,
  scales: usize,
  biases: usize,
  lut: usize,
  scaleSteps: usize,
  biasSteps: usize,
): i32 {
  const blocks = (k + BLOCK - 1) / BLOCK;
  const kernel = load<u32>(packed, PACKED_KERNEL);
  if (kernel == KERNEL_LUT4) return pack_lut4<S>(to, codes, scales, lut, rows, blocks);
  if (kernel == KERNEL_CODES || kernel == KERNEL_CODES_FLOAT)
    return pack_codes<S>(packed, to, codes, scales, biases, lut, scaleSteps, biasSteps, rows, k);
  const hasBias = load<u32>(packed, PACKED_HAS_BIAS);
  if (kernel == KERNEL_Q4) return pack_q4<S>(to, codes, scales, biases, rows, blocks, hasBias);
  return pack_q8<S>(to, codes, scales, biases, rows, blocks, hasBias);
}
