// Runs plans in the WebAssembly core: one call per step, on one or more threads.

import {
  PLAN_LOGIT_COUNT,
  PLAN_ROW_COUNT,
  PLAN_THREADS,
  ROW_BYTES,
  ROW_PAGES,
  ROW_POSITION,
  ROW_TOKEN,
} from '../../../assembly/op_layout.js';
import { CapacityError, DisposedError } from '../../errors.js';
import type { Checkpoint } from '../../model/checkpoint.js';
import type { Progress } from '../../model/progress.js';
import type { Plan } from '../../plan/ops.js';
import { ropeFrequencies } from '../../plan/rope_frequencies.js';
import type { OnTrace } from '../../trace/step_trace.js';
import type {
  Executor,
  KvType,
  MaybePromise,
  MemoryNeed,
  Row,
  RuntimeInfo,
  Simd,
} from '../executor.js';
import { chooseRuntime, coreBuild } from './choose_runtime.js';
import { type Core, instantiateCore, MemoryViews } from './core.js';
import { type CoreOptions, loadBuild, workerStarter } from './core_source.js';
import { encodePlan } from './encode.js';
import { KvBlocks, type WasmPageTable } from './kv_blocks.js';
import {
  type Layout,
  LOGIT_ROWS_PER_STEP,
  layOut,
  memoryNeed,
  memoryPages,
  ROWS_PER_STEP,
} from './layout.js';
import { packAll } from './pack_all.js';
import { type OnMissing, reason, WorkerPool } from './threads.js';
import type { TracedPlan } from './traced_plan.js';

export interface WasmOptions {
  readonly threads: number | 'auto';
  readonly simd?: 'auto' | Simd | undefined;
  readonly kvType: KvType;
  /** Most bytes of KV pages; default two full contexts. */
  readonly kvCacheBytes?: number | undefined;
  readonly core?: CoreOptions | undefined;
  /** Refusals to be told beside the executor's own. */
  readonly refusals?: readonly string[] | undefined;
  /** The core's build that these options choose, if it is being loaded already. */
  readonly module?: Promise<WebAssembly.Module> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onTrace?: OnTrace | undefined;
}

const WASM_PAGE = 65536;

/**
 * Weight bytes times rows after which `threads: 'auto'` starts its workers: about as much work as starting
 * and ending them takes, so a short text from a small model never pays for them.
 */
const WORTH_WORKERS = 256e6;

/** What a model holds until it is disposed. */
interface Live {
  readonly core: Core;
  readonly views: MemoryViews;
  /** Null: with one thread; and until they are worth their start. */
  workers: WorkerPool | null;
  readonly startWorkers: (onMissing: OnMissing | null) => WorkerPool;
  /** Null: steps are not traced. */
  readonly traced: TracedPlan | null;
}

export class WasmExecutor implements Executor {
  readonly memory: MemoryNeed;
  readonly kv: KvBlocks;
  readonly rowsPerStep = ROWS_PER_STEP;
  readonly logitRowsPerStep = LOGIT_ROWS_PER_STEP;
  readonly #vocabSize: number;
  readonly #logitsAt: number;
  readonly #places: Layout;
  /** What was chosen at load. */
  readonly #chosen: RuntimeInfo;
  #runtime: RuntimeInfo;
  #live: Live | null;
  /** Weight bytes times rows, run so far. */
  #work = 0;

  private constructor(plan: Plan, runtime: RuntimeInfo, places: Layout, kv: KvBlocks, live: Live) {
    this.#chosen = runtime;
    this.#runtime = runtime;
    this.memory = memoryNeed(places, plan);
    this.kv = kv;
    this.#vocabSize = plan.vocabSize;
    this.#logitsAt = places.buffers.get(plan.outputs.logits) ?? 0;
    this.#places = places;
    this.#live = live;
  }

  /** Changes if threads that were left open cannot be started when they are wanted. */
  get runtime(): RuntimeInfo {
    return this.#runtime;
  }

  /** Bytes that `create` with the same arguments will take. Reads no weights. */
  static memoryNeed(plan: Plan, checkpoint: Checkpoint, options: WasmOptions): MemoryNeed {
    const { threads } = chooseRuntime(options);
    return memoryNeed(layOut(plan, checkpoint.weights, threads, options.kvType), plan);
  }

  /**
   * Packs the checkpoint's weights into a new memory; starts the workers if their number was asked for.
   * @throws CapacityError if it does not fit, FormatError for bad weights, WorkerError if a thread that was
   *   asked for cannot be started, `signal.reason` when aborted
   */
  static async create(
    plan: Plan,
    checkpoint: Checkpoint,
    options: WasmOptions,
  ): Promise<WasmExecutor> {
    const chosen = chooseRuntime(options);
    const runtime = { ...chosen, refusals: [...chosen.refusals, ...(options.refusals ?? [])] };
    const shared = runtime.threads > 1;
    const module = await (options.module ?? loadBuild(coreBuild(runtime), options.core));

    const places = layOut(plan, checkpoint.weights, runtime.threads, options.kvType);
    const { kvLimit, ...pages } = memoryPages(places, plan, options.kvCacheBytes);
    const memory = newMemory({ ...pages, shared });
    const views = new MemoryViews(memory);
    const core = instantiateCore(module, memory);

    encodePlan(plan, checkpoint.weights, places, options.kvType, views);
    const traced = await tracedPlan(options, checkpoint, places, views);
    const pow = (base: number, exponent: number) => core.pow64(base, exponent);
    const frequencies = ropeFrequencies(plan.rope, plan.headDim, pow);
    views.doubles(places.frequencies, frequencies.length).set(frequencies);
    await packAll(core, views, checkpoint, places, options);

    const kv = new KvBlocks(views, places, options.kvType, kvLimit);
    const starter = workerStarter(options.core);
    const startWorkers = (onMissing: OnMissing | null) =>
      new WorkerPool(runtime.threads - 1, core, module, memory, places.plan, starter, onMissing);
    const workers = shared && options.threads !== 'auto' ? startWorkers(null) : null;
    const live = { core, views, workers, startWorkers, traced };
    const executor = new WasmExecutor(plan, runtime, places, kv, live);
    try {
      workers?.check();
      return executor;
    } catch (refused) {
      await executor.dispose();
      throw refused;
    }
  }

  /**
   * Runs on the calling thread, with the workers' help: synchronously, unless one of them takes long over its
   * part, or died with it.
   * @throws WorkerError
   */
  run(rows: readonly Row[]): MaybePromise<void> {
    const live = this.#use();
    const { views, traced } = live;
    this.#work += rows.length * this.memory.weights;
    if (this.runtime.threads > 1 && this.#work > WORTH_WORKERS)
      live.workers ??= live.startWorkers((count, cause) => this.#goOnWithout(count, cause));
    live.workers?.check();
    const { plan, rows: rowsAt, logitRows } = this.#places;
    const words = views.words;
    let wanted = 0;
    rows.forEach((row, i) => {
      const at = (rowsAt + i * ROW_BYTES) / 4;
      words[at + ROW_TOKEN / 4] = row.token;
      words[at + ROW_POSITION / 4] = row.position;
      words[at + ROW_PAGES / 4] = (row.pages as WasmPageTable).address;
      if (row.wantLogits) words[logitRows / 4 + wanted++] = i;
    });
    words[(plan + PLAN_ROW_COUNT) / 4] = rows.length;
    words[(plan + PLAN_LOGIT_COUNT) / 4] = wanted;
    if (traced) return traced.run(rows, this.runtime.threads, () => this.#runPlan(live));
    return this.#runPlan(live);
  }

  #runPlan({ core, workers }: Live): MaybePromise<void> {
    // Only another thread can hold a step up.
    if (!core.run_plan(this.#places.plan, false)) return workers!.finishStep();
  }

  #goOnWithout(count: number, cause: unknown): void {
    const { threads, refusals } = this.#chosen;
    const refusal = `threads: ${count} of ${threads - 1} workers could not be started (${reason(cause)})`;
    this.#runtime = { ...this.#chosen, threads: threads - count, refusals: [...refusals, refusal] };
    // A thread may read it at any time: it decides how long its chunks are, not what is in them.
    this.#use().views.words[(this.#places.plan + PLAN_THREADS) / 4] = threads - count;
  }

  logits(index: number): Float32Array {
    const { views } = this.#use();
    return views.floats(this.#logitsAt + index * this.#vocabSize * 4, this.#vocabSize);
  }

  softmax(index: number, temperature: number): Float32Array {
    const { core } = this.#use();
    core.softmax(this.#logitsAt + index * this.#vocabSize * 4, this.#vocabSize, temperature);
    return this.logits(index);
  }

  async dispose(): Promise<void> {
    const live = this.#live;
    this.#live = null;
    await live?.workers?.dispose();
    live?.views.drop();
  }

  #use(): Live {
    if (!this.#live) throw new DisposedError('[executor] the model is disposed');
    return this.#live;
  }
}

function newMemory(descriptor: WebAssembly.MemoryDescriptor): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory(descriptor);
  } catch (cause) {
    const bytes = `${descriptor.initial * WASM_PAGE} bytes, at most ${(descriptor.maximum ?? 0) * WASM_PAGE}`;
    throw new CapacityError(
      `[memory] the system refused ${bytes}; a smaller kvCacheBytes may fit`,
      {
        cause,
      },
    );
  }
}

/** Loaded only when asked for, as most models are never traced. */
async function tracedPlan(
  { kvType, onTrace }: WasmOptions,
  { weights }: Checkpoint,
  places: Layout,
  views: MemoryViews,
): Promise<TracedPlan | null> {
  if (!onTrace) return null;
  const { TracedPlan } = await import('./traced_plan.js');
  return new TracedPlan(views, places, weights, kvType, onTrace);
}
