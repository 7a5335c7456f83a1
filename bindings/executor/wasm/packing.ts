// How weights lie in the core's memory: a matrix as a header (op_layout.ts), then panels of 8 rows as its kernel
// draws them; a vector as f32.

import * as layout from '../../../assembly/op_layout.js';
import {
  ALL,
  FLOAT_BYTES,
  type FloatType,
  groupCount,
  type LutEntry,
  type LutFormat,
  type ScaleFormat,
  takesFloats,
  type WeightFormat,
} from '../../formats/format.js';
import { entryType } from '../../formats/lut_entry.js';
import { tableCount } from '../../formats/palette_codec.js';
import type { Role } from '../../formats/parts.js';
import { stepCount } from '../../formats/scales.js';
import type { Weight } from '../../model/weight.js';
import { outlierBytes } from './pack_outliers.js';

const { BLOCK, PANEL, PACKED_BYTES } = layout;

export const DTYPE_CODES: Readonly<Record<FloatType, number>> = {
  f32: layout.DTYPE_F32,
  f16: layout.DTYPE_F16,
  bf16: layout.DTYPE_BF16,
};

const ENTRY_CODES: Readonly<Record<LutEntry, number>> = {
  i7: layout.DTYPE_INT8,
  i8: layout.DTYPE_INT8,
  f16: layout.DTYPE_F16,
  f32: layout.DTYPE_F32,
};

/** Bytes of a palette's panel before its indices: the table, and scales as f32 (kernels/matvec_lut4.ts). */
const LUT4_HEAD = 16 + PANEL * 4;

/** Palettes whose entries have 7 bits, by width: their table must serve a multiple of so many rows. */
const LUT_ROWS: Readonly<Record<number, number>> = { 1: 4, 2: 4, 3: 4, 4: 4, 6: 8 };

/** Parts of a strip of rows in the order in which pack_tensor takes their addresses; 0: there is no such part. */
export const PACKED_ROLES: readonly Role[] = [
  'codes',
  'scales',
  'biases',
  'lut',
  'scaleSteps',
  'biasSteps',
  'mask',
  'starts',
];

/** The kernel that a format has: one of its own, if it is as this is made for. */
function kernelOf(format: WeightFormat): number {
  const { float, lut, bits, scale, sparse } = format;
  if (sparse) return float ? layout.KERNEL_SPARSE_FLOAT : layout.KERNEL_SPARSE;
  if (float) return layout.KERNEL_FLOAT;
  if (takesFloats(format)) return layout.KERNEL_CODES_FLOAT;
  if (lut) {
    const isRow = scale!.rows === 1 && scale!.k === ALL;
    const isFused = bits === 4 && lut.rows === 16 && lut.entry === 'i7' && isRow;
    return isFused ? layout.KERNEL_LUT4 : layout.KERNEL_CODES;
  }
  const isBlock = scale!.k === BLOCK && scale!.rows === 1 && !scale!.super;
  if (isBlock && bits === 4) return layout.KERNEL_Q4;
  return isBlock && bits === 8 ? layout.KERNEL_Q8 : layout.KERNEL_CODES;
}

/** Bits of the kernel that runs one row (matvec_codes.ts, matvec_lut.ts); 0: none, matmul_tile.ts does. */
function matvecOf(format: WeightFormat): number {
  const { lut, bits, scale, sparse } = format;
  if (sparse) return 0;
  if (lut && isIndices(format)) {
    const isFast = lut.entry === 'i7' && lut.rows % (LUT_ROWS[bits] ?? 1) === 0;
    return isFast && scale?.k === ALL ? bits : 0;
  }
  return scale && !scale.super && (scale.k === ALL || scale.k >= BLOCK) ? bits : 0;
}

/** Header of a packed matrix [n, k]: byte offset (PACKED_*) to value. */
export function packedHeader(format: WeightFormat, n: number, k: number) {
  const { float, lut, scale, bias, bits } = format;
  const record = recordOf(format, k);
  return new Map<number, number>([
    [layout.PACKED_KERNEL, kernelOf(format)],
    [layout.PACKED_DTYPE, DTYPE_CODES[float ?? scale?.dtype ?? 'f32']],
    [layout.PACKED_HAS_BIAS, bias ? 1 : 0],
    [layout.PACKED_BITS, bits],
    [layout.PACKED_GROUP, scale?.k ?? 0],
    [layout.PACKED_SCALE_ROWS, scale?.rows ?? 0],
    [layout.PACKED_PANEL, panelBytes(format, k)],
    [layout.PACKED_CODES, record.codesAt],
    [layout.PACKED_FIRST, PACKED_BYTES + tablesBytes(format, n)],
    [layout.PACKED_TABLE, isIndices(format) ? tableBytes(bits, lut!) : 0],
    [layout.PACKED_TABLE_ROWS, lut?.rows ?? 0],
    [layout.PACKED_MATVEC, matvecOf(format)],
    [layout.PACKED_ENTRY, lut ? ENTRY_CODES[lut.entry] : 0],
    [layout.PACKED_DIM, lut?.dim ?? 1],
    [layout.PACKED_U7, (isIndices(format) ? lut!.entry === 'i7' : bits < 8) ? 1 : 0],
    [layout.PACKED_RECORD, record.bytes],
    [layout.PACKED_RECORD_GROUPS, record.groups],
    [layout.PACKED_RECORD_BLOCKS, record.blocks],
    [layout.PACKED_OUTLIERS, format.outliers ? outliersAt(format, n, k) : 0],
    [layout.PACKED_NONZEROS, format.sparse ? panelsEnd(format, n, k) : 0],
    [layout.PACKED_LEVELS, scale?.super ? 2 : 1],
  ]);
}

/** What a panel of codes repeats along k (kernels/code_panel.ts). */
function recordOf(format: WeightFormat, k: number) {
  const { float, bits, scale, bias, lut, sparse } = format;
  const all = Math.ceil(k / BLOCK);
  const isRow = !scale || scale.k === ALL || sparse || (lut !== undefined && lut.dim > 1);
  const blocks = isRow ? all : Math.max(1, (scale.super ?? scale.k) / BLOCK);
  const groups = scale && !float ? groupCount(scale, blocks * BLOCK) : 0;
  const scales = scale && !float ? scaleBytes(scale, blocks * BLOCK) : 0;
  const codesAt = scales * PANEL * (bias ? 2 : 1);
  return {
    groups: Math.max(1, groups),
    blocks,
    codesAt,
    bytes: codesAt + blocks * PANEL * BLOCK * (bits / 8),
  };
}

/** Bytes of a matrix [n, k] in the core's memory: header, tables, whole panels, non-zeros, outliers. */
export function packedBytes(format: WeightFormat, n: number, k: number): number {
  const { outliers } = format;
  if (!outliers) return denseBytes(format, n, k);
  return outliersAt(format, n, k) + outlierBytes(n, outliers.count);
}

/** Behind all else, at a whole word. */
function outliersAt(format: WeightFormat, n: number, k: number): number {
  return Math.ceil(denseBytes(format, n, k) / 4) * 4;
}

function denseBytes(format: WeightFormat, n: number, k: number): number {
  return panelsEnd(format, n, k) + nonZeroBytes(format, n);
}

function panelsEnd(format: WeightFormat, n: number, k: number): number {
  const panels = Math.ceil(n / PANEL) * panelBytes(format, k);
  return PACKED_BYTES + tablesBytes(format, n) + panels;
}

/** The most that the non-zeros of a sparse matrix take, however they are spread (kernels/sparse_panel.ts). */
function nonZeroBytes({ float, bits, sparse }: WeightFormat, n: number): number {
  if (!sparse) return 0;
  // Four floats are read at a time.
  if (float) return (sparse.nonZeros + 3) * FLOAT_BYTES[float];
  const rest = Math.ceil(n / PANEL) * (layout.BLOCK_CODES - 1);
  const blocks = Math.floor((sparse.nonZeros + rest) / layout.BLOCK_CODES);
  return (blocks * layout.BLOCK_CODES * bits) / 8;
}

/** Bytes of a weight in the core's memory: a vector is f32. */
export function weightBytes({ shape, format }: Weight): number {
  const [n = 0, k] = shape;
  return k === undefined ? n * 4 : packedBytes(format, n, k);
}

/** Bytes of 8 rows of `k` weights in the core's memory, the non-zeros of sparse ones apart. */
export function panelBytes(format: WeightFormat, k: number): number {
  const { float, scale, bias, sparse } = format;
  if (float && !sparse) return PANEL * k * FLOAT_BYTES[float];
  const codes = codeBytes(format, k);
  if (kernelOf(format) === layout.KERNEL_LUT4) return LUT4_HEAD + codes;
  if (!scale) return codes;
  // Whole records have all their groups, although a file may have fewer.
  const padded = Math.ceil(k / (scale.super ?? BLOCK)) * (scale.super ?? BLOCK);
  return codes + PANEL * scaleBytes(scale, padded) * (bias ? 2 : 1);
}

/** Of the scales, or the biases, of one row of k weights (kernels/group_scales.ts). */
function scaleBytes(scale: ScaleFormat, k: number): number {
  const groups = groupCount(scale, k);
  const number = FLOAT_BYTES[scale.dtype];
  return scale.super ? groups + stepCount(scale, k) * number : groups * number;
}

/** Of the codes of a panel, or of its mask. */
function codeBytes({ bits, lut, sparse }: WeightFormat, k: number): number {
  if (sparse) return (PANEL * Math.ceil(k / BLOCK) * BLOCK) / 8 + layout.SPARSE_TAIL;
  return (PANEL * Math.ceil(k / BLOCK / (lut?.dim ?? 1)) * BLOCK * bits) / 8;
}

/** Of one table: at least a vector. */
export function tableBytes(bits: number, { entry, dim }: LutFormat): number {
  return Math.max(16, 2 ** bits * dim * entryType(entry).bytes);
}

/** Of all tables, where they lie apart from the panels (kernels/code_panel.ts). */
function tablesBytes(format: WeightFormat, n: number): number {
  if (!isIndices(format) || kernelOf(format) === layout.KERNEL_LUT4) return 0;
  const { lut, bits } = format;
  return tableCount(lut!, n) * tableBytes(bits, lut!);
}

/** Whether codes are kept as indices. Those of 8 bits are not: an entry is no larger and takes its index's place. */
function isIndices(format: WeightFormat): boolean {
  const { lut, bits, bias, sparse } = format;
  return lut !== undefined && (bits < 8 || takesFloats(format) || !!bias || !!sparse);
}
