// Which executor runs a model, by its options.

import { traceVeto } from '#platform';
import { OptionError, show, UnsupportedError } from '../errors.js';
import type { Checkpoint } from '../model/checkpoint.js';
import type { Progress } from '../model/progress.js';
import { isPacked, type Weight } from '../model/weight.js';
import type { OptionNames } from '../options.js';
import type { Plan } from '../plan/ops.js';
import type { OnTrace } from '../trace/step_trace.js';
import type { Device, Executor, KvType, MemoryNeed, Simd } from './executor.js';
import { chooseRuntime, coreBuild } from './wasm/choose_runtime.js';
import { type CoreOptions, checkCoreNames, loadBuild } from './wasm/core_source.js';
import { WasmExecutor, type WasmOptions } from './wasm/executor.js';
import { weightBytes } from './wasm/packing.js';

export interface ExecutorOptions {
  /**
   * wasm, the default: the WebAssembly core. reference: plain float64 loops, slow, for comparing. auto: the
   * fastest there is.
   */
  readonly device?: Device | 'auto' | undefined;
  /** Threads of the core, refused where they cannot be had; auto, the default: one per processor, or one alone. */
  readonly threads?: number | 'auto' | undefined;
  /** Build of the core; auto, the default: relaxed where the runtime has it. The results are the same. */
  readonly simd?: 'auto' | Simd | undefined;
  /** How keys and values are stored. Default: f32 for float checkpoints, f16 for compressed ones. */
  readonly kvCache?: KvType | undefined;
  /** Most bytes of KV pages of all sessions together. Default: two full contexts. */
  readonly kvCacheBytes?: number | undefined;
  /** The core and its worker from elsewhere than the package. */
  readonly core?: CoreOptions | undefined;
}

export interface CreateOptions extends ExecutorOptions {
  readonly signal?: AbortSignal | undefined;
  /** Stage `weights`, in bytes. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Called after each step with the time and the bytes of its ops; it must not throw. Ops then run one by one:
   * somewhat slower, most so with threads, which start anew for each, and with the same results. The clock is
   * `performance.now()`: in Node exact; in browsers of 5 to 20 us where the page is isolated and 100 us to 1 ms
   * where it is not, so that only the sum over many steps means something. Not for device `reference`, nor in
   * workerd, where time stands still while code runs.
   */
  readonly onTrace?: OnTrace | undefined;
}

export const CREATE_OPTIONS: OptionNames<CreateOptions> = {
  device: true,
  threads: true,
  simd: true,
  kvCache: true,
  kvCacheBytes: true,
  core: true,
  signal: true,
  onProgress: true,
  onTrace: true,
};

const DEVICES = ['wasm', 'webgpu', 'reference', 'auto'] as const;
const KV_TYPES = ['f32', 'f16', 'int8'] as const;
const SIMD = ['auto', 'baseline', 'relaxed'] as const;

const NO_WEBGPU = 'webgpu: this version has no WebGPU executor';

/**
 * Begins to load the core that `createExecutor` will need, to be done beside opening the checkpoint.
 * @throws OptionError
 */
export function startCore(options: ExecutorOptions): Promise<WebAssembly.Module> | undefined {
  if (options.device === 'reference') return undefined;
  const { threads = 'auto', simd, core } = options;
  const module = loadBuild(coreBuild(chooseRuntime({ threads, simd, core })), core);
  // Who awaits it is told; nobody does if the checkpoint cannot be opened.
  module.catch(() => {});
  return module;
}

/**
 * Loads the checkpoint's weights into an executor.
 * @param module from `startCore` with the same options
 * @throws OptionError, UnsupportedError for a device that there is not, CapacityError if memory is short,
 *   FormatError and SourceError for bad weights, WorkerError if a thread that was asked for cannot be started,
 *   `signal.reason` when aborted
 */
export async function createExecutor(
  plan: Plan,
  checkpoint: Checkpoint,
  options: CreateOptions,
  module?: Promise<WebAssembly.Module>,
): Promise<Executor> {
  checkOptions(options);
  const wasm = { ...wasmOptions(checkpoint, options), module };
  if (options.device === 'reference') {
    // Loaded only when asked for: it is a textbook, not a product.
    const { ReferenceExecutor } = await import('./reference.js');
    return ReferenceExecutor.create(plan, checkpoint, wasm);
  }
  const refusals = options.device === 'auto' ? [NO_WEBGPU] : [];
  return WasmExecutor.create(plan, checkpoint, { ...wasm, refusals });
}

/** Bytes that `createExecutor` with these options takes in the WebAssembly core. Reads no weights. */
export function memoryNeed(
  plan: Plan,
  checkpoint: Checkpoint,
  options: ExecutorOptions,
): MemoryNeed {
  checkOptions(options);
  return WasmExecutor.memoryNeed(plan, checkpoint, wasmOptions(checkpoint, options));
}

/** Bytes of one weight in the WebAssembly core. */
export function residentBytes(weight: Weight): number {
  return weightBytes(weight);
}

/** @throws OptionError, UnsupportedError */
export function checkOptions({
  device,
  threads,
  simd,
  kvCache,
  kvCacheBytes,
  core,
  onTrace,
}: CreateOptions): void {
  checkChoice('device', device, DEVICES);
  checkChoice('simd', simd, SIMD);
  checkChoice('kvCache', kvCache, KV_TYPES);
  checkWhole(
    'threads',
    threads === 'auto' ? undefined : threads,
    "'auto' or an integer, 1 or more",
  );
  checkWhole('kvCacheBytes', kvCacheBytes, 'an integer, 1 or more');
  if (core !== undefined) checkCoreNames(core);
  if (device === 'webgpu') throw new UnsupportedError(`[load] ${NO_WEBGPU}`);
  if (onTrace !== undefined) checkTrace(onTrace, device);
}

function checkTrace(onTrace: unknown, device: string | undefined): void {
  if (typeof onTrace !== 'function') {
    throw new OptionError(`[load] onTrace: expected a function, came ${show(onTrace)}`);
  }
  const refusal = device === 'reference' ? 'device reference has no trace' : traceVeto();
  if (refusal !== null) throw new UnsupportedError(`[load] onTrace: ${refusal}`);
}

function wasmOptions(checkpoint: Checkpoint, options: CreateOptions): WasmOptions {
  const { threads = 'auto', kvCache, simd, kvCacheBytes, core } = options;
  const { signal, onProgress, onTrace } = options;
  const compressed = [...checkpoint.weights.values()].some(isPacked);
  const kvType = kvCache ?? (compressed ? 'f16' : 'f32');
  return { threads, simd, kvType, kvCacheBytes, core, signal, onProgress, onTrace };
}

function checkChoice(name: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return;
  throw new OptionError(`[load] ${name}: expected ${choices.join(', ')}, came ${show(value)}`);
}

function checkWhole(name: string, value: number | undefined, expected: string): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 1)) return;
  throw new OptionError(`[load] ${name}: expected ${expected}, came ${show(value)}`);
}
