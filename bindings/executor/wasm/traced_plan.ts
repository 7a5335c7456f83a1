// Runs a plan for a trace: op after op, each as a plan of that op alone, so that the clock can be read between
// them. The core knows nothing of it, and rows and sums are the same, so results have the same bits.

import * as layout from '../../../assembly/op_layout.js';
import { formatName } from '../../formats/codecs.js';
import type { Weight } from '../../model/weight.js';
import type { OnTrace, OpTrace } from '../../trace/step_trace.js';
import type { KvType, MaybePromise, Row } from '../executor.js';
import type { MemoryViews } from './core.js';
import type { Layout } from './layout.js';
import { OP_KINDS, type OpShape, opBytes } from './op_bytes.js';
import { weightBytes } from './packing.js';

const OP_WORDS = layout.OP_BYTES / 4;

interface TracedOp {
  readonly words: Uint32Array;
  readonly shape: OpShape;
  /** What its traces have in common. */
  readonly facts: Pick<OpTrace, 'kind' | 'name' | 'n' | 'k' | 'format'>;
  readonly onLogitRows: boolean;
}

export class TracedPlan {
  readonly #views: MemoryViews;
  readonly #plan: number;
  readonly #ops: readonly TracedOp[];
  readonly #onTrace: OnTrace;

  /**
   * Takes the ops of the plan encoded at `places.plan` over and leaves room for one. Before any worker starts: a
   * thread that comes late may read the number of ops, which therefore must not change between steps. What it
   * reads of an op that was replaced does no harm: that op's sequence number is over, and no chunk is left of it.
   */
  constructor(
    views: MemoryViews,
    places: Layout,
    weights: ReadonlyMap<string, Weight>,
    kvType: KvType,
    onTrace: OnTrace,
  ) {
    const { words } = views;
    const weightAt = new Map([...places.weights].map(([path, at]) => [at, weights.get(path)]));
    const count = (places.plan + layout.PLAN_OP_COUNT) / 4;
    this.#ops = Array.from({ length: words[count] ?? 0 }, (_, i) => {
      const at = (places.plan + layout.PLAN_BYTES) / 4 + i * OP_WORDS;
      const op = words.slice(at, at + OP_WORDS);
      // Each op is a span of its own here.
      op[layout.OP_FOLLOWERS / 4] = 0;
      const weight = weightAt.get(op[layout.OP_WEIGHT / 4] ?? 0) ?? null;
      return tracedOp(op, weight, kvType, places.kvLayerBytes);
    });
    words[count] = 1;
    this.#views = views;
    this.#plan = places.plan;
    this.#onTrace = onTrace;
  }

  /**
   * Runs a step whose rows are in place.
   * @param runPlan runs the plan as it is: once an op
   */
  async run(
    rows: readonly Row[],
    threads: number,
    runPlan: () => MaybePromise<void>,
  ): Promise<void> {
    const { words } = this.#views;
    const place = (this.#plan + layout.PLAN_BYTES) / 4;
    const times = [performance.now()];
    for (const op of this.#ops) {
      words.set(op.words, place);
      const late = runPlan();
      if (late) await late;
      times.push(performance.now());
    }
    this.#report(rows, threads, times);
  }

  /** @param times when the first op began and each one ended */
  #report(rows: readonly Row[], threads: number, times: readonly number[]): void {
    const positions = rows.map((row) => row.position);
    const logitPositions = rows.filter((row) => row.wantLogits).map((row) => row.position);
    const ops = this.#ops.map(({ shape, facts, onLogitRows }, i): OpTrace => {
      const on = onLogitRows ? logitPositions : positions;
      const startMs = times[i]!;
      const bytes = opBytes(shape, on);
      return { ...facts, m: on.length, startMs, ms: times[i + 1]! - startMs, bytes };
    });
    const startMs = times[0]!;
    this.#onTrace({
      phase: rows.length === 1 ? 'decode' : 'prefill',
      positions,
      logitRows: logitPositions.length,
      threads,
      startMs,
      ms: times.at(-1)! - startMs,
      ops,
    });
  }
}

/** Reads an encoded op: what a step will run, not what was meant. */
function tracedOp(
  words: Uint32Array,
  weight: Weight | null,
  kvType: KvType,
  kvLayerBytes: number,
): TracedOp {
  const field = (offset: number) => words[offset / 4] ?? 0;
  const shape: OpShape = {
    code: field(layout.OP_CODE),
    n: field(layout.OP_N),
    k: field(layout.OP_K),
    heads: field(layout.OP_HEADS),
    kvHeads: field(layout.OP_KV_HEADS),
    headDim: field(layout.OP_HEAD_DIM),
    window: field(layout.OP_WINDOW),
    kvType,
    format: weight?.format ?? null,
    weightBytes: weight ? weightBytes(weight) : 0,
  };
  const kind = OP_KINDS[shape.code]?.kind;
  if (kind === undefined) throw new Error(`[trace] op code ${shape.code} is not in op_bytes.ts`);
  const hasKv = shape.kvHeads > 0;
  const subject = weight
    ? ` ${weight.path}.weight`
    : hasKv
      ? ` layer ${field(layout.OP_LAYER_OFFSET) / kvLayerBytes}`
      : '';
  return {
    words,
    shape,
    facts: {
      kind,
      name: kind + subject,
      n: shape.n || null,
      k: shape.k || null,
      format: weight ? packedFormat(weight) : hasKv ? kvType : null,
    },
    onLogitRows: field(layout.OP_ON_LOGIT_ROWS) === 1,
  };
}

/** Vectors are kept as float32. */
function packedFormat({ shape, format }: Weight): string {
  return shape.length === 1 ? 'f32' : formatName(format);
}
