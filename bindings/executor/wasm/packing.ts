// How weights lie in the core's memory: a matrix as a header (op_layout.ts), then panels of 8 rows as its kernel
// draws them; a vector as f32.

import * as layout from '../../../assembly/op_layout.js';
import {
  FLOAT_BYTES,
  type FloatType,
  groupCount,
  paddedK,
  type WeightFormat,
} from '../../formats/format.js';
import type { Weight } from '../../model/weight.js';

const { PANEL, PACKED_BYTES } = layout;

export const DTYPE_CODES: Readonly<Record<FloatType, number>> = {
  f32: layout.DTYPE_F32,
  f16: layout.DTYPE_F16,
  bf16: layout.DTYPE_BF16,
};

/** Bytes of a palette's panel before its indices: the table, and scales as f32 (kernels/matvec_lut4.ts). */
const LUT4_HEAD = 16 + PANEL * 4;

/** The kernel that a format has. */
function kernelOf({ float, lut, bits }: WeightFormat): number {
  if (float) return layout.KERNEL_FLOAT;
  if (lut) return layout.KERNEL_LUT4;
  return bits === 4 ? layout.KERNEL_Q4 : layout.KERNEL_Q8;
}

/** Header of a packed matrix: byte offset (PACKED_*) to value. */
export function packedHeader(format: WeightFormat): ReadonlyMap<number, number> {
  const dtype = format.float ?? format.scale!.dtype;
  return new Map([
    [layout.PACKED_KERNEL, kernelOf(format)],
    [layout.PACKED_DTYPE, DTYPE_CODES[dtype]],
    [layout.PACKED_HAS_BIAS, format.bias ? 1 : 0],
  ]);
}

/** Bytes in the core's memory: matrices in whole panels, behind their header; vectors as f32. */
export function packedBytes({ shape, format }: Weight): number {
  const [n = 0, k] = shape;
  if (k === undefined) return n * 4;
  return PACKED_BYTES + Math.ceil(n / PANEL) * panelBytes(format, k);
}

/** Bytes of 8 rows of `k` weights in the core's memory. */
export function panelBytes(format: WeightFormat, k: number): number {
  const { float, bits, lut, scale, bias } = format;
  if (float) return PANEL * k * FLOAT_BYTES[float];
  const codes = (PANEL * paddedK(k) * bits) / 8;
  if (lut) return LUT4_HEAD + codes;
  const perGroup = FLOAT_BYTES[scale!.dtype] * (bias ? 2 : 1);
  return codes + PANEL * groupCount(scale!, k) * perGroup;
}
