// Which ops run without a wait between them (run_plan.ts): matmuls of one input, and ops that go row by row.

import * as layout from '../../../assembly/op_layout.js';
import { ROWS_PER_STEP } from './layout.js';

/** An encoded op: byte offset from op_layout.ts to value, and the buffers that it reads or writes. */
export interface OpRecord {
  readonly fields: ReadonlyMap<number, number>;
  readonly buffers: readonly RowBuffer[];
}

/** f32 [rows, width] at `address`. */
export interface RowBuffer {
  readonly address: number;
  readonly width: number;
}

const ROW_WISE: ReadonlySet<number> = new Set([
  layout.CODE_EMBED,
  layout.CODE_ROPE_ANGLES,
  layout.CODE_RMS_NORM,
  layout.CODE_QUANTIZE_ROWS,
  layout.CODE_ROPE,
  layout.CODE_KV_UPDATE,
  layout.CODE_ADD,
  layout.CODE_SILU_MUL,
]);

/** OP_FOLLOWERS of each op: how many ops after it belong to the span that it begins, 0 inside a span. */
export function followers(ops: readonly OpRecord[]): number[] {
  const counts = ops.map(() => 0);
  let first = 0;
  for (let i = 1; i < ops.length; i++) {
    const span = ops.slice(first, i);
    if (span.every((op) => mayShare(op, ops[i]!))) counts[first] = i - first;
    else first = i;
  }
  return counts;
}

function mayShare(a: OpRecord, b: OpRecord): boolean {
  const code = a.fields.get(layout.OP_CODE)!;
  const same = (offset: number) => a.fields.get(offset) === b.fields.get(offset);
  if (!same(layout.OP_ON_LOGIT_ROWS)) return false;
  if (code === layout.CODE_MATMUL) {
    return same(layout.OP_CODE) && same(layout.OP_X) && !meet(output(a), output(b));
  }
  if (!ROW_WISE.has(code) || !ROW_WISE.has(b.fields.get(layout.OP_CODE)!)) return false;
  // A thread may be ahead of another by ops and rows: a row's bytes must be the same row's in both, or nobody's.
  return a.buffers.every((x) => b.buffers.every((y) => isSame(x, y) || !meet(x, y)));
}

function output({ fields }: OpRecord): RowBuffer {
  return { address: fields.get(layout.OP_OUT)!, width: fields.get(layout.OP_N)! };
}

function isSame(a: RowBuffer, b: RowBuffer): boolean {
  return a.address === b.address && a.width === b.width;
}

function meet(a: RowBuffer, b: RowBuffer): boolean {
  const end = ({ address, width }: RowBuffer) => address + width * 4 * ROWS_PER_STEP;
  return a.address < end(b) && b.address < end(a);
}
