// The end of a sum whose weights have one scale a row, which is multiplied last:
//
//   y[i, o] = acc[i, o] * scale[o] + offset[i] * bias[o]
//   acc[i, o] = sum over blocks b, ascending, of f32(dot(q[o, b], x[i, b])) * xScale[i, b]
//   offset[i] = sum over blocks b, ascending, of f32(sum(x[i, b])) * xScale[i, b]
//
// Without biases there is no offset.

import { biases_at, load_scales, scale_bytes } from './group_scales';
import { blocks_of, dtype_of, has_bias, x_scales_of, x_sums_of } from './operands';
import { store_panel } from './panel';

/** Stores row i of a panel whose scales are at `scales`. offset: 0 without biases. */
export function store_scaled_panel(
  op: usize,
  i: u32,
  packed: usize,
  panel: u32,
  scales: usize,
  low: v128,
  high: v128,
  offset: f32,
): void {
  const half = 4 * scale_bytes(dtype_of(packed));
  const lowSums = scaled(low, packed, scales, offset);
  store_panel(op, i, panel, lowSums, scaled(high, packed, scales + half, offset));
}

function scaled(acc: v128, packed: usize, scales: usize, offset: f32): v128 {
  const dtype = dtype_of(packed);
  const sums = f32x4.mul(acc, load_scales(dtype, scales));
  if (!has_bias(packed)) return sums;
  const biases = load_scales(dtype, scales + biases_at(packed));
  return f32x4.add(sums, f32x4.mul(f32x4.splat(offset), biases));
}

/** offset[i] of row i of m, or 0 where there are no biases. */
export function offset_of(op: usize, packed: usize, m: u32, i: u32): f32 {
  let offset: f32 = 0;
  if (!has_bias(packed)) return offset;
  const blocks = blocks_of(op);
  for (let b: usize = 0; b < blocks; b++) {
    const at = (b * m + i) << 2;
    offset += <f32>load<i32>(x_sums_of(op) + at) * load<f32>(x_scales_of(op) + at);
  }
  return offset;
}
