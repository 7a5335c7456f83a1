import { instantiateCore } from './core.js';
import type { WorkerStart } from './threads.js';

/** Takes part in every step until the model is disposed; does not return before. */
export async function runWorker({ module, memory, plan, thread }: WorkerStart): Promise<void> {
  const core = instantiateCore(module, memory);
  core.run_worker(plan, thread);
}
