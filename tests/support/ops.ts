// Encodes one op, and what it needs of a plan, into the memory of a core under test.

import * as layout from '../../assembly/op_layout.js';
import { packedHeader } from '../../bindings/executor/wasm/packing.js';
import type { FloatType, WeightFormat } from '../../bindings/formats/format.js';
import { type Block, type Core, type KernelRun, runKernel } from './core.js';

export const DTYPES: Readonly<Record<FloatType | 'int8', number>> = {
  f32: layout.DTYPE_F32,
  f16: layout.DTYPE_F16,
  bf16: layout.DTYPE_BF16,
  int8: layout.DTYPE_INT8,
};

/** Fields of an op; addresses are blocks. Unset fields are zero. */
export interface OpFields {
  readonly out?: Block;
  readonly x?: Block;
  readonly y?: Block;
  readonly weight?: Block;
  readonly n?: number;
  readonly k?: number;
  readonly dtype?: number;
  readonly scales?: Block;
  readonly sums?: Block;
  readonly heads?: number;
  readonly kvHeads?: number;
  readonly headDim?: number;
  readonly layerOffset?: number;
  readonly window?: number;
  readonly float?: number;
  readonly interleaved?: boolean;
}

export interface TestRow {
  readonly token?: number;
  readonly position?: number;
  /** Page table: u32 page addresses. */
  readonly pages?: Block;
}

export interface OpCall {
  readonly code: number;
  readonly fields: OpFields;
  /** Rows of the step, or how many if an op asks for no more. */
  readonly rows: number | readonly TestRow[];
  readonly logitRows?: readonly number[];
  readonly scratchBytes?: number;
  readonly outputs: readonly Block[];
}

/** Runs an op over its units [0, units); see `runKernel`. */
export function runOp(name: string, units: number, prepare: (core: Core) => OpCall): Uint8Array[] {
  return runKernel(name, units, (core) => encode(core, prepare(core)));
}

/** A packed matrix [n, k]: its header, then `panels`. */
export function withHeader(
  format: WeightFormat,
  [n, k]: readonly [n: number, k: number],
  panels: ArrayBufferView,
): Uint8Array {
  const out = new Uint8Array(layout.PACKED_BYTES + panels.byteLength);
  const view = new DataView(out.buffer);
  for (const [offset, value] of packedHeader(format, n, k)) view.setUint32(offset, value, true);
  const { buffer, byteOffset, byteLength } = panels;
  out.set(new Uint8Array(buffer, byteOffset, byteLength), layout.PACKED_BYTES);
  return out;
}

function encode(core: Core, call: OpCall): KernelRun {
  const op = core.input(encodeOp(call.code, call.fields));
  const scratch = core.output(call.scratchBytes ?? 0);
  const rows = core.input(encodeRows(call.rows));
  const logitRows = core.input(Uint32Array.from(call.logitRows ?? []));
  const header = new DataView(new ArrayBuffer(layout.PLAN_BYTES));
  const rowCount = typeof call.rows === 'number' ? call.rows : call.rows.length;
  header.setUint32(layout.PLAN_ROW_COUNT, rowCount, true);
  header.setUint32(layout.PLAN_LOGIT_COUNT, call.logitRows?.length ?? 0, true);
  header.setUint32(layout.PLAN_ROWS, rows.address, true);
  header.setUint32(layout.PLAN_LOGIT_ROWS, logitRows.address, true);
  const plan = core.input(header);
  return {
    outputs: call.outputs,
    call: (begin, end) => {
      core.call('run_op', plan.address, op.address, scratch.address, begin, end);
    },
  };
}

function encodeOp(code: number, fields: OpFields): DataView {
  const op = new DataView(new ArrayBuffer(layout.OP_BYTES));
  const set = (offset: number, value: number | undefined) => op.setUint32(offset, value ?? 0, true);
  set(layout.OP_CODE, code);
  set(layout.OP_OUT, fields.out?.address);
  set(layout.OP_X, fields.x?.address);
  set(layout.OP_Y, fields.y?.address);
  set(layout.OP_WEIGHT, fields.weight?.address);
  set(layout.OP_N, fields.n);
  set(layout.OP_K, fields.k);
  set(layout.OP_DTYPE, fields.dtype);
  set(layout.OP_SCALES, fields.scales?.address);
  set(layout.OP_SUMS, fields.sums?.address);
  set(layout.OP_HEADS, fields.heads);
  set(layout.OP_KV_HEADS, fields.kvHeads);
  set(layout.OP_HEAD_DIM, fields.headDim);
  set(layout.OP_LAYER_OFFSET, fields.layerOffset);
  set(layout.OP_WINDOW, fields.window);
  op.setFloat32(layout.OP_FLOAT, fields.float ?? 0, true);
  set(layout.OP_INTERLEAVED, fields.interleaved ? 1 : 0);
  return op;
}

function encodeRows(rows: number | readonly TestRow[]): DataView {
  const list = typeof rows === 'number' ? new Array<TestRow>(rows).fill({}) : rows;
  const view = new DataView(new ArrayBuffer(list.length * layout.ROW_BYTES));
  for (const [i, row] of list.entries()) {
    const at = i * layout.ROW_BYTES;
    view.setUint32(at + layout.ROW_TOKEN, row.token ?? 0, true);
    view.setUint32(at + layout.ROW_POSITION, row.position ?? 0, true);
    view.setUint32(at + layout.ROW_PAGES, row.pages?.address ?? 0, true);
  }
  return view;
}
