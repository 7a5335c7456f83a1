// Writes the plan into the core's memory as op_layout.ts says: names become addresses, and a quantize_rows
// op is put before each matmul of int8 activations whose input is not already there in int8.

import * as layout from '../../../assembly/op_layout.js';
import { UnsupportedError } from '../../errors.js';
import { takesFloats } from '../../formats/format.js';
import type { Weight } from '../../model/weight.js';
import type { Op, Plan } from '../../plan/ops.js';
import type { KvType } from '../executor.js';
import type { MemoryViews } from './core.js';
import type { Layout } from './layout.js';
import { followers, type OpRecord, type RowBuffer } from './spans.js';

/** Fields of one op: byte offset from op_layout.ts to value; a later one replaces an earlier one. */
type Fields = ReadonlyArray<readonly [offset: number, value: number]>;

const KV_DTYPES: Readonly<Record<KvType, number>> = {
  f32: layout.DTYPE_F32,
  f16: layout.DTYPE_F16,
  int8: layout.DTYPE_INT8,
};

class Encoder {
  readonly records: OpRecord[] = [];
  readonly #plan: Plan;
  readonly #weights: ReadonlyMap<string, Weight>;
  readonly #places: Layout;
  readonly #kvType: KvType;
  #onLogitRows = 0;
  /** Buffers that the op being encoded was found to use. */
  #used: RowBuffer[] = [];
  /** Buffer whose int8 copy is current. */
  #quantized: string | null = null;

  constructor(plan: Plan, weights: ReadonlyMap<string, Weight>, places: Layout, kvType: KvType) {
    this.#plan = plan;
    this.#weights = weights;
    this.#places = places;
    this.#kvType = kvType;
  }

  add(op: Op): void {
    switch (op.kind) {
      case 'embed': {
        return this.#push(layout.CODE_EMBED, op.out, [
          [layout.OP_WEIGHT, this.#weight(op.weight)],
          [layout.OP_K, this.#matrix(op.weight).k],
        ]);
      }
      case 'ropeAngles':
        return this.#push(layout.CODE_ROPE_ANGLES, op.out, [
          [layout.OP_WEIGHT, this.#places.frequencies],
          [layout.OP_HEAD_DIM, this.#plan.headDim],
        ]);
      case 'rmsNorm':
        return this.#push(layout.CODE_RMS_NORM, op.out, [
          [layout.OP_X, this.#buffer(op.x)],
          [layout.OP_WEIGHT, this.#weight(op.weight)],
          [layout.OP_K, this.#width(op.x)],
          [layout.OP_FLOAT, floatBits(op.eps)],
        ]);
      case 'matmul':
        return this.#matmul(op.out, op.x, op.weight);
      case 'rope':
        return this.#push(layout.CODE_ROPE, op.x, [
          [layout.OP_X, this.#buffer(op.angles)],
          [layout.OP_HEADS, op.heads],
          [layout.OP_HEAD_DIM, this.#plan.headDim],
          [layout.OP_INTERLEAVED, this.#plan.rope.style === 'interleaved' ? 1 : 0],
        ]);
      case 'kvUpdate':
        return this.#push(layout.CODE_KV_UPDATE, null, [
          [layout.OP_X, this.#buffer(op.k)],
          [layout.OP_Y, this.#buffer(op.v)],
          ...this.#kvFields(op.layer),
        ]);
      case 'sdpa':
        return this.#push(layout.CODE_SDPA, op.out, [
          [layout.OP_X, this.#buffer(op.q)],
          [layout.OP_HEADS, this.#plan.numHeads],
          [layout.OP_WINDOW, op.window],
          [layout.OP_FLOAT, floatBits(op.scale)],
          ...this.#kvFields(op.layer),
        ]);
      case 'add':
        return this.#push(layout.CODE_ADD, op.out, [
          [layout.OP_X, this.#buffer(op.x)],
          [layout.OP_K, this.#width(op.x)],
        ]);
      case 'siluMul':
        return this.#push(layout.CODE_SILU_MUL, op.out, [
          [layout.OP_X, this.#buffer(op.gate)],
          [layout.OP_Y, this.#buffer(op.up)],
          [layout.OP_K, this.#width(op.gate)],
        ]);
      case 'selectRows':
        this.#onLogitRows = 1;
        return this.#push(layout.CODE_SELECT_ROWS, op.out, [
          [layout.OP_X, this.#buffer(op.x)],
          [layout.OP_K, this.#width(op.x)],
        ]);
    }
  }

  #matmul(out: string, x: string, path: string): void {
    const { weight, n, k } = this.#matrix(path);
    const fields: Array<readonly [number, number]> = [
      [layout.OP_WEIGHT, this.#weight(path)],
      [layout.OP_X, this.#buffer(x)],
      [layout.OP_N, n],
      [layout.OP_K, k],
    ];
    if (!takesFloats(weight.format)) {
      const { q, scales, sums } = this.#places.quantized;
      const copy = [
        [layout.OP_SCALES, scales],
        [layout.OP_SUMS, sums],
        [layout.OP_K, k],
      ] as const;
      if (this.#quantized !== x) {
        const from = [layout.OP_X, this.#buffer(x)] as const;
        this.#pushAt(layout.CODE_QUANTIZE_ROWS, q, [from, ...copy]);
        this.#quantized = x;
      }
      fields.push([layout.OP_X, q], ...copy);
    }
    this.#push(layout.CODE_MATMUL, out, fields);
  }

  #push(code: number, out: string | null, fields: Fields): void {
    if (out !== null && out === this.#quantized) this.#quantized = null;
    this.#pushAt(code, out === null ? 0 : this.#buffer(out), fields);
  }

  #pushAt(code: number, out: number, fields: Fields): void {
    const all = new Map([
      [layout.OP_CODE, code],
      [layout.OP_ON_LOGIT_ROWS, this.#onLogitRows],
      [layout.OP_OUT, out],
      ...fields,
    ]);
    this.records.push({ fields: all, buffers: this.#used });
    this.#used = [];
  }

  #kvFields(layer: number): Fields {
    return [
      [layout.OP_DTYPE, KV_DTYPES[this.#kvType]],
      [layout.OP_KV_HEADS, this.#plan.numKvHeads],
      [layout.OP_HEAD_DIM, this.#plan.headDim],
      [layout.OP_LAYER_OFFSET, layer * this.#places.kvLayerBytes],
    ];
  }

  #matrix(path: string): { weight: Weight; n: number; k: number } {
    const weight = found(this.#weights, path, 'weight');
    const [n = 0, k = 0] = weight.shape;
    return { weight, n, k };
  }

  #weight(path: string): number {
    return found(this.#places.weights, path, 'weight');
  }

  #buffer(name: string): number {
    const address = found(this.#places.buffers, name, 'buffer');
    this.#used.push({ address, width: this.#width(name) });
    return address;
  }

  #width(name: string): number {
    return found(this.#plan.buffers, name, 'buffer');
  }
}

function found<T>(map: ReadonlyMap<string, T>, name: string, what: string): T {
  const value = map.get(name);
  if (value === undefined) throw new Error(`[encode] the plan names no ${what} ${name}`);
  return value;
}

/** Bits of x as float32. */
function floatBits(x: number): number {
  return new Uint32Array(new Float32Array([x]).buffer)[0] ?? 0;
}

/**
 * Encodes `plan` at its place in memory, header included.
 * @throws UnsupportedError if a kernel cannot run an op's shape
 */
export function encodePlan(
  plan: Plan,
  weights: ReadonlyMap<string, Weight>,
  places: Layout,
  kvType: KvType,
  views: MemoryViews,
): void {
  if (plan.headDim % 4 !== 0) {
    throw new UnsupportedError(`[wasm] head_dim ${plan.headDim} is not a multiple of 4`);
  }
  const encoder = new Encoder(plan, weights, places, kvType);
  for (const segment of plan.segments) for (const op of segment.ops) encoder.add(op);

  const words = views.words;
  const header = places.plan / 4;
  words.fill(0, header, header + layout.PLAN_BYTES / 4);
  words[header + layout.PLAN_OP_COUNT / 4] = encoder.records.length;
  words[header + layout.PLAN_ROWS / 4] = places.rows;
  words[header + layout.PLAN_LOGIT_ROWS / 4] = places.logitRows;
  words[header + layout.PLAN_THREADS / 4] = places.threads;
  words[header + layout.PLAN_SCRATCH / 4] = places.scratch;
  words[header + layout.PLAN_SCRATCH_BYTES / 4] = places.scratchBytes;
  const counts = followers(encoder.records);
  encoder.records.forEach(({ fields }, i) => {
    const op = (places.plan + layout.PLAN_BYTES + i * layout.OP_BYTES) / 4;
    words.fill(0, op, op + layout.OP_BYTES / 4);
    for (const [offset, value] of fields) words[op + offset / 4] = value;
    words[op + layout.OP_FOLLOWERS / 4] = counts[i]!;
  });
}
