// What a matmul reads and writes, as its op and its packed matrix tell: Y [m, n] = X [m, k] times W [n, k], transposed.
//
//   y       f32 [m, n]
//   x       f32 [m, k] for weights of floats, and for KERNEL_CODES_FLOAT; for all others
//           i8  [blocks, m, 32]   within +-127; padding along k is zero; block-major, so that the m rows of a block are
//                                 read one after the other
//   xScales f32 [blocks, m]
//   xSums   i32 [blocks, m]       sum of the 32 values
//   packed                        a header (PACKED_*), then panels of 8 rows as the kernel's file draws them
//
// Every matmul computes panels [begin, end) for all m rows. Its caller guarantees m, n, k > 0 and weights padded to
// whole panels and blocks.

import {
  BLOCK,
  OP_K,
  OP_N,
  OP_OUT,
  OP_SCALES,
  OP_SUMS,
  OP_X,
  PACKED_BYTES,
  PACKED_DTYPE,
  PACKED_HAS_BIAS,
} from '../op_layout';

export function y_of(op: usize): usize {
  return load<u32>(op, OP_OUT);
}

export function x_of(op: usize): usize {
  return load<u32>(op, OP_X);
}

export function x_scales_of(op: usize): usize {
  return load<u32>(op, OP_SCALES);
}

export function x_sums_of(op: usize): usize {
  return load<u32>(op, OP_SUMS);
}

export function n_of(op: usize): u32 {
  return load<u32>(op, OP_N);
}

export function k_of(op: usize): u32 {
  return load<u32>(op, OP_K);
}

/** x, xScales and xSums of a block, from its first row on. */
export function x_block(op: usize, b: u32, m: u32): usize {
  return x_of(op) + ((<usize>b * m) << 5);
}

export function x_scales_block(op: usize, b: u32, m: u32): usize {
  return x_scales_of(op) + ((<usize>b * m) << 2);
}

export function x_sums_block(op: usize, b: u32, m: u32): usize {
  return x_sums_of(op) + ((<usize>b * m) << 2);
}

export function blocks_of(op: usize): u32 {
  return (k_of(op) + BLOCK - 1) / BLOCK;
}

/** What stands behind the header. */
export function weights_of(packed: usize): usize {
  return packed + PACKED_BYTES;
}

/** DTYPE_* of float weights, or of scales and biases. */
export function dtype_of(packed: usize): u32 {
  return load<u32>(packed, PACKED_DTYPE);
}

export function has_bias(packed: usize): bool {
  return load<u32>(packed, PACKED_HAS_BIAS) != 0;
}
