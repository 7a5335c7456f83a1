// A worker thread that takes a chunk of the next step and does not finish it: once the step runs, it dies, or does
// nothing for ever (`workerData: 'hangs'`).

import { parentPort, workerData } from 'node:worker_threads';
import { PLAN_CLAIM, PLAN_JOINED, PLAN_STEP } from '../../assembly/op_layout.js';
import type { WorkerStart } from '../../bindings/executor/wasm/threads.js';

/** Long enough for the step to wait for it. */
const DEATH_MS = 150;

parentPort?.once('message', ({ memory, plan, thread }: WorkerStart) => {
  const words = new Int32Array(memory.buffer);
  const step = Atomics.load(words, (plan + PLAN_STEP) / 4);
  Atomics.or(words, (plan + PLAN_JOINED) / 4, 1 << thread);
  Atomics.add(new BigUint64Array(memory.buffer), (plan + PLAN_CLAIM) / 8, 1n);
  parentPort?.postMessage('holds a chunk');
  Atomics.wait(words, (plan + PLAN_STEP) / 4, step);
  if (workerData === 'hangs') Atomics.wait(words, 0, words[0]!);
  setTimeout(() => process.exit(1), DEATH_MS);
});
