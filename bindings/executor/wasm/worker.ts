// Entry point of a worker thread: takes part in every step until the model is disposed.

import { receiveStart } from '#platform';
import { instantiateCore } from './core.js';
import type { WorkerStart } from './threads.js';

const { module, memory, plan, thread } = (await receiveStart()) as WorkerStart;
const core = await instantiateCore(module, memory);
core.run_worker(plan, thread);
