// Entry point of a worker thread in Node, Deno and Bun.

import { receiveStart } from '#platform';
import { runWorker } from './run_worker.js';
import type { WorkerStart } from './threads.js';

await runWorker((await receiveStart()) as WorkerStart);
