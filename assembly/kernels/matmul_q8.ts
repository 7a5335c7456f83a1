// Y = X W^T for m rows of int8 activations and 8-bit weights:
//
//   y[i, o] = sum over blocks b, ascending, of
//               f32(dot(q[o, b], x[i, b]) + zero * sum(x[i, b])) * (scale[o, b] * xScale[i, b])
//             + f32(sum(x[i, b])) * (bias[o, b] * xScale[i, b])      only with biases
//
//   y, x, xScales, xSums as operands.ts draws them
//   weights     [ceil(n / 8), blocks] records of 256 bytes of q - 128 (int8), as a tile of add_factors.ts; then 8 scales,
//               then 8 biases if any, of PACKED_DTYPE
//   scratch     f32 [4, 4] factors of add_factors.ts; then f32 [m, 8], the panel's running sums
//   zero    0 without biases; 128 with them, since their q is unsigned
//
// |sum| <= 32 * 127 * 128 per block, exact in f32.

import { PANEL } from '../op_layout';
import { place_factors } from './add_factors';
import { add_i8 } from './add_i8';
import { scale_bytes } from './group_scales';
import {
  blocks_of,
  dtype_of,
  has_bias,
  weights_of,
  x_block,
  x_scales_block,
  x_sums_block,
} from './operands';
import { store_panel } from './panel';

export function matmul_q8(
  op: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const blocks = blocks_of(op);
  const hasBias = has_bias(packed);
  const scales = PANEL * scale_bytes(dtype_of(packed));
  const record = 256 + (hasBias ? 2 * scales : scales);
  const zero = i32x4.splat(hasBias ? -128 : 0);
  const sums = scratch + 64;
  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    let w = weights_of(packed) + <usize>panel * blocks * record;
    for (let b: u32 = 0; b < blocks; b++, w += record) {
      const x = x_block(op, b, m);
      const xScales = x_scales_block(op, b, m);
      place_factors(scratch, packed, w + 256, scales);
      add_i8(sums, x, xScales, x_sums_block(op, b, m), m, w, 4, scratch, hasBias, zero);
    }
    for (let i: u32 = 0; i < m; i++) {
      const at = sums + ((<usize>i) << 5);
      store_panel(op, i, panel, v128.load(at), v128.load(at, 16));
    }
  }
}
