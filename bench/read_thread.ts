// A thread of thread_reads.ts: reads its part once a round.

import { parentPort, workerData } from 'node:worker_threads';
import { instantiateCore } from '../bindings/executor/wasm/core.js';
import type { ReadStart } from './thread_reads.js';

const { module, memory, control, at, bytes } = workerData as ReadStart;
// A promise in older revisions, into which this file is copied.
const core = await instantiateCore(module, memory);
parentPort?.postMessage('ready');
for (let round = 0; ; round++) {
  Atomics.wait(control, 0, round);
  core.read_all(at, bytes);
  Atomics.add(control, 1, 1);
}
