// How long worker threads take to start: from the call until all of them sleep, ready for a step.

import { setTimeout as sleep } from 'node:timers/promises';
import { PLAN_STEP } from '../assembly/op_layout.js';
import { chooseRuntime, coreBuild } from '../bindings/executor/wasm/choose_runtime.js';
import { instantiateCore } from '../bindings/executor/wasm/core.js';
import { loadBuild } from '../bindings/executor/wasm/core_source.js';
import { WorkerPool } from '../bindings/executor/wasm/threads.js';

const PLAN = 4096;

/** Milliseconds to start the workers of a model on `threads` threads. */
export async function poolStartMs(threads: number): Promise<number> {
  const runtime = chooseRuntime({ threads });
  const module = await loadBuild(coreBuild(runtime));
  const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
  const core = instantiateCore(module, memory);
  const words = new Int32Array(memory.buffer);
  const started = performance.now();
  const pool = new WorkerPool(threads - 1, core, module, memory, PLAN, null);
  // No step has begun, so a worker that is woken goes back to sleep.
  while (Atomics.notify(words, (PLAN + PLAN_STEP) / 4) < threads - 1) await sleep(1);
  const ready = performance.now() - started;
  await pool.dispose();
  return ready;
}
