// Runs a plan in float64, one op after another, with dequantized weights: the oracle of the tests. It reads
// as the other executors should behave; reference/ops.ts says what each op means.

import { CapacityError, DisposedError, OptionError } from '../errors.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { readRows } from '../model/read_rows.js';
import type { KvUpdateOp, Op, Plan, SdpaOp } from '../plan/ops.js';
import { ropeFrequencies } from '../plan/rope_frequencies.js';
import {
  type Executor,
  type KvType,
  type MemoryNeed,
  PAGE_SIZE,
  type Row,
  type RuntimeInfo,
} from './executor.js';
import { ReferenceKvPool, ReferencePageTable } from './reference/kv_pool.js';
import * as ops from './reference/ops.js';

export * from './reference/ops.js';
export * from './reference/quantized.js';

const F64_BYTES = 8;
const ROWS_PER_STEP = 64;
const LOGIT_ROWS_PER_STEP = 8;

export interface ReferenceOptions {
  readonly kvType: KvType;
  /** Most bytes of all KV pages, in float64; default two full contexts. */
  readonly kvCacheBytes?: number | undefined;
}

interface StepRow extends Row {
  readonly pages: ReferencePageTable;
}

export class ReferenceExecutor implements Executor {
  readonly runtime: RuntimeInfo = {
    device: 'reference',
    threads: 1,
    simd: 'baseline',
    refusals: [],
  };
  readonly memory: MemoryNeed;
  readonly kv: ReferenceKvPool;
  readonly rowsPerStep = ROWS_PER_STEP;
  readonly logitRowsPerStep = LOGIT_ROWS_PER_STEP;
  readonly #plan: Plan;
  readonly #weights: Map<string, Float64Array>;
  readonly #frequencies: Float64Array;
  readonly #logits: Float32Array;
  #disposed = false;

  private constructor(plan: Plan, weights: Map<string, Float64Array>, options: ReferenceOptions) {
    this.#plan = plan;
    this.#weights = weights;
    this.#frequencies = ropeFrequencies(plan.rope, plan.headDim, Math.pow);
    this.#logits = new Float32Array(LOGIT_ROWS_PER_STEP * plan.vocabSize);
    this.kv = new ReferenceKvPool(plan, options.kvType, options.kvCacheBytes);
    this.memory = memoryNeed(plan, this.kv.pageBytes);
  }

  /** Reads and dequantizes every weight the plan names; they have been checked against it. */
  static async create(
    plan: Plan,
    checkpoint: Checkpoint,
    options: ReferenceOptions,
  ): Promise<ReferenceExecutor> {
    const weights = new Map<string, Float64Array>();
    for (const path of plan.weights.keys()) {
      const weight = checkpoint.weights.get(path);
      if (weight === undefined) throw new OptionError(`[reference] weight ${path} is missing`);
      weights.set(path, await readRows(weight, 0, weight.shape[0]!));
    }
    return new ReferenceExecutor(plan, weights, options);
  }

  run(rows: readonly Row[]): void {
    if (this.#disposed) throw new DisposedError('[reference] the model was disposed');
    if (rows.length > ROWS_PER_STEP) {
      throw new CapacityError(`[reference] ${rows.length} rows in a step, limit ${ROWS_PER_STEP}`);
    }
    const wanted = rows.filter((row) => row.wantLogits).length;
    if (wanted > LOGIT_ROWS_PER_STEP) {
      throw new CapacityError(
        `[reference] ${wanted} rows of a step want logits, limit ${LOGIT_ROWS_PER_STEP}`,
      );
    }
    const stepRows = rows.map(asStepRow);
    const buffers = new Map<string, Float64Array>();
    for (const segment of this.#plan.segments) {
      for (const op of segment.ops) this.#runOp(op, stepRows, buffers);
    }
    this.#logits.set(at(buffers, this.#plan.outputs.logits));
  }

  logits(index: number): Float32Array {
    const { vocabSize } = this.#plan;
    return this.#logits.subarray(index * vocabSize, (index + 1) * vocabSize);
  }

  softmax(index: number, temperature: number): Float32Array {
    const row = this.logits(index);
    row.set(ops.softmax(row, temperature));
    return row;
  }

  async dispose(): Promise<void> {
    this.#disposed = true;
    this.#weights.clear();
    this.kv.clear();
  }

  #runOp(op: Op, rows: readonly StepRow[], buffers: Map<string, Float64Array>): void {
    const { headDim, rope } = this.#plan;
    const buffer = (name: string) => at(buffers, name);
    const weight = (path: string) => at(this.#weights, path);
    const width = (name: string) => this.#plan.buffers.get(name)!;
    switch (op.kind) {
      case 'embed': {
        const tokens = rows.map((row) => row.token);
        buffers.set(op.out, ops.embed(tokens, weight(op.weight), width(op.out)));
        return;
      }
      case 'ropeAngles': {
        const positions = rows.map((row) => row.position);
        buffers.set(op.out, ops.ropeAngles(positions, this.#frequencies));
        return;
      }
      case 'rmsNorm':
        buffers.set(op.out, ops.rmsNorm(buffer(op.x), weight(op.weight), op.eps));
        return;
      case 'matmul':
        buffers.set(op.out, ops.matmul(buffer(op.x), weight(op.weight), width(op.x)));
        return;
      case 'rope': {
        const x = ops.rope(buffer(op.x), buffer(op.angles), op.heads, headDim, rope.style);
        buffers.set(op.x, x);
        return;
      }
      case 'kvUpdate':
        this.#kvUpdate(op, rows, buffer(op.k), buffer(op.v));
        return;
      case 'sdpa':
        buffers.set(op.out, this.#sdpa(op, rows, buffer(op.q)));
        return;
      case 'add':
        buffers.set(op.out, ops.add(buffer(op.out), buffer(op.x)));
        return;
      case 'siluMul':
        buffers.set(op.out, ops.siluMul(buffer(op.gate), buffer(op.up)));
        return;
      case 'selectRows': {
        const wanted = rows.flatMap((row, i) => (row.wantLogits ? [i] : []));
        buffers.set(op.out, ops.embed(wanted, buffer(op.x), width(op.x)));
        return;
      }
      default:
        op satisfies never;
    }
  }

  #kvUpdate(op: KvUpdateOp, rows: readonly StepRow[], k: Float64Array, v: Float64Array): void {
    const width = this.#plan.numKvHeads * this.#plan.headDim;
    rows.forEach(({ pages, position }, i) => {
      const rowK = k.subarray(i * width, (i + 1) * width);
      const rowV = v.subarray(i * width, (i + 1) * width);
      this.kv.write(pages, op.layer, position, rowK, rowV);
    });
  }

  #sdpa(op: SdpaOp, rows: readonly StepRow[], q: Float64Array): Float64Array {
    const width = this.#plan.numHeads * this.#plan.headDim;
    const out = new Float64Array(rows.length * width);
    rows.forEach(({ pages, position }, i) => {
      const end = position + 1;
      const begin = op.window > 0 ? Math.max(0, end - op.window) : 0;
      const { k, v } = this.kv.read(pages, op.layer, begin, end);
      const rowQ = q.subarray(i * width, (i + 1) * width);
      out.set(ops.sdpa(rowQ, k, v, this.#plan, op.scale), i * width);
    });
    return out;
  }
}

function asStepRow(row: Row): StepRow {
  const { token, position, pages, wantLogits } = row;
  if (pages instanceof ReferencePageTable) return { token, position, pages, wantLogits };
  throw new OptionError('[reference] a row has the page table of another executor');
}

function at(values: ReadonlyMap<string, Float64Array>, name: string): Float64Array {
  const found = values.get(name);
  if (found === undefined) throw new OptionError(`[reference] ${name} was not written yet`);
  return found;
}

function memoryNeed(plan: Plan, pageBytes: number): MemoryNeed {
  let weights = 0;
  for (const shape of plan.weights.values()) weights += F64_BYTES * shape.reduce((a, b) => a * b);
  let widths = 0;
  for (const width of plan.buffers.values()) widths += width;
  const pages = Math.ceil(plan.contextLength / PAGE_SIZE);
  return { weights, arena: widths * ROWS_PER_STEP * F64_BYTES, kvCache: pages * pageBytes };
}
