// Bytes that an op must move: what it reads and writes, once each, whatever the caches do. Weights count as they
// lie packed, padding included; keys and values count for every row that looks at them.

import {
  BLOCK,
  CODE_ADD,
  CODE_EMBED,
  CODE_KV_UPDATE,
  CODE_MATMUL,
  CODE_QUANTIZE_ROWS,
  CODE_RMS_NORM,
  CODE_ROPE,
  CODE_ROPE_ANGLES,
  CODE_SDPA,
  CODE_SELECT_ROWS,
  CODE_SILU_MUL,
  PANEL,
} from '../../../assembly/op_layout.js';
import { takesFloats, type WeightFormat } from '../../formats/format.js';
import type { KvType } from '../executor.js';
import { panelBytes } from './packing.js';

/** What bytes depend on; fields that the op does not have are 0. */
export interface OpShape {
  /** CODE_* of op_layout.ts. */
  readonly code: number;
  readonly n: number;
  readonly k: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly window: number;
  readonly kvType: KvType;
  /** Null: the op has no weight. */
  readonly format: WeightFormat | null;
  /** Of the whole weight, packed. */
  readonly weightBytes: number;
}

type Bytes = (op: OpShape, positions: readonly number[]) => number;

const F32 = 4;
const F64 = 8;

/** Kernel and bytes of every op code. */
export const OP_KINDS: Readonly<Record<number, { readonly kind: string; readonly bytes: Bytes }>> =
  {
    [CODE_EMBED]: { kind: 'embed', bytes: embed },
    [CODE_ROPE_ANGLES]: { kind: 'rope_angles', bytes: ropeAngles },
    [CODE_RMS_NORM]: { kind: 'rms_norm', bytes: rmsNorm },
    [CODE_QUANTIZE_ROWS]: { kind: 'quantize_rows', bytes: quantizeRows },
    [CODE_MATMUL]: { kind: 'matmul', bytes: matmul },
    [CODE_ROPE]: { kind: 'rope', bytes: rope },
    [CODE_KV_UPDATE]: { kind: 'kv_update', bytes: kvUpdate },
    [CODE_SDPA]: { kind: 'sdpa', bytes: sdpa },
    [CODE_ADD]: { kind: 'add', bytes: (op, rows) => floats(op, rows, 3) },
    [CODE_SILU_MUL]: { kind: 'silu_mul', bytes: (op, rows) => floats(op, rows, 3) },
    [CODE_SELECT_ROWS]: { kind: 'select_rows', bytes: (op, rows) => floats(op, rows, 2) },
  };

/** @param positions of the rows that the op runs on; without rows it touches nothing */
export function opBytes(op: OpShape, positions: readonly number[]): number {
  return positions.length === 0 ? 0 : OP_KINDS[op.code]!.bytes(op, positions);
}

/** A row of the table in, one of floats out. */
function embed({ format, k }: OpShape, { length: m }: readonly number[]): number {
  return m * ((format ? panelBytes(format, k) / PANEL : 0) + k * F32);
}

/** Float64 frequencies in, cos and sin out. */
function ropeAngles({ headDim }: OpShape, { length: m }: readonly number[]): number {
  return (headDim / 2) * F64 + m * headDim * F32;
}

function rmsNorm(op: OpShape, rows: readonly number[]): number {
  return op.weightBytes + floats(op, rows, 2);
}

function quantizeRows({ k }: OpShape, { length: m }: readonly number[]): number {
  return m * (k * F32 + int8RowBytes(k));
}

/** Int8 rows in, or floats, as the format has it. */
function matmul(op: OpShape, { length: m }: readonly number[]): number {
  const { n, k, format, weightBytes } = op;
  const input = format && takesFloats(format) ? k * F32 : int8RowBytes(k);
  return weightBytes + m * (input + n * F32);
}

/** In place, by one row of angles. */
function rope({ heads, headDim }: OpShape, { length: m }: readonly number[]): number {
  return m * (2 * heads + 1) * headDim * F32;
}

function kvUpdate(op: OpShape, { length: m }: readonly number[]): number {
  return m * (2 * op.kvHeads * op.headDim * F32 + positionBytes(op));
}

/** q in, as much out, and K and V of all positions that each row sees. */
function sdpa(op: OpShape, positions: readonly number[]): number {
  const seen = positions.reduce((sum, position) => {
    return sum + (op.window > 0 ? Math.min(op.window, position + 1) : position + 1);
  }, 0);
  return seen * positionBytes(op) + positions.length * 2 * op.heads * op.headDim * F32;
}

/** K and V of one position in one layer: int8 has a float32 scale per head for each. */
function positionBytes({ kvHeads, headDim, kvType }: OpShape): number {
  const valueBytes = { f32: 4, f16: 2, int8: 1 }[kvType];
  return 2 * kvHeads * (headDim * valueBytes + (kvType === 'int8' ? F32 : 0));
}

/** Values, and a scale and a sum for each block (kernels/quantize_rows.ts). */
function int8RowBytes(k: number): number {
  return Math.ceil(k / BLOCK) * (BLOCK + 8);
}

/** `count` rows of k floats for each row. */
function floats({ k }: OpShape, { length: m }: readonly number[], count: number): number {
  return m * k * count * F32;
}
