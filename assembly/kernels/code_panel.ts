// What the kernels of codes (matvec_codes, matmul_tile, embed_codes, pack_codes) have in common: how their matrix
// lies, which its header tells.
//
//   panel   [ceil(n / 8)], PACKED_PANEL bytes each
//             codes  [blocks] of 32 * bits bytes (codes.ts)
//             scales [groups, 8] of PACKED_DTYPE, at PACKED_SCALES in the panel
//             biases [groups, 8] likewise, only with PACKED_HAS_BIAS
//
// A group is PACKED_GROUP weights along k: 16, 32, 64 or 128; or 0, all of a row.

import {
  BLOCK,
  DTYPE_F16,
  DTYPE_F32,
  PACKED_BITS,
  PACKED_BYTES,
  PACKED_DTYPE,
  PACKED_GROUP,
  PACKED_HAS_BIAS,
  PACKED_PANEL,
  PACKED_SCALES,
} from '../op_layout';
import { load1, load4 } from '../simd';

export function panel_at(packed: usize, panel: u32): usize {
  return packed + PACKED_BYTES + <usize>panel * load<u32>(packed, PACKED_PANEL);
}

export function bits_of(packed: usize): u32 {
  return load<u32>(packed, PACKED_BITS);
}

export function dtype_of(packed: usize): u32 {
  return load<u32>(packed, PACKED_DTYPE);
}

export function has_bias(packed: usize): bool {
  return load<u32>(packed, PACKED_HAS_BIAS) != 0;
}

/** What a code of 0 means without biases, in steps below zero. */
export function zero_of(packed: usize): i32 {
  return has_bias(packed) ? 0 : 1 << (bits_of(packed) - 1);
}

/** Weights along k that share a scale, 0: a row. */
export function group_of(packed: usize): u32 {
  return load<u32>(packed, PACKED_GROUP);
}

/** Groups of a row of `blocks` blocks. */
export function groups_of(packed: usize, blocks: u32): u32 {
  const group = group_of(packed);
  return group == 0 ? 1 : (blocks * BLOCK + group - 1) / group;
}

/** The 8 scales of the panel's first group. */
export function scales_at(packed: usize, panelAt: usize): usize {
  return panelAt + load<u32>(packed, PACKED_SCALES);
}

/** Bytes of one scale. */
export function scale_bytes(dtype: u32): usize {
  return dtype == DTYPE_F32 ? 4 : 2;
}

/** Scales of 4 rows. */
export function load_scales(dtype: u32, at: usize): v128 {
  if (dtype == DTYPE_F16) return load4<i16>(at);
  return dtype == DTYPE_F32 ? v128.load(at) : load4<u16>(at);
}

/** The scale of one row. */
export function load_scale(dtype: u32, at: usize): f32 {
  if (dtype == DTYPE_F16) return load1<i16>(at);
  return dtype == DTYPE_F32 ? load<f32>(at) : load1<u16>(at);
}
