// Worker threads of a model: each runs the core's run_worker on the shared memory and sleeps between steps.

import { spawnWorker } from '#platform';
import { WorkerError } from '../../errors.js';
import type { WorkerHandle, WorkerStarter } from '../../platform/platform.js';
import type { Core } from './core.js';

/** What a worker gets to start with. */
export interface WorkerStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Address of the plan. */
  readonly plan: number;
  /** 1, 2, ...; the calling thread is 0. */
  readonly thread: number;
}

export class WorkerPool {
  readonly #workers: WorkerHandle[];
  readonly #core: Core;
  readonly #plan: number;
  #failure: unknown = null;
  #stopping = false;

  /** Starts `count` workers and does not wait for them: they join whatever step runs when they are up. */
  constructor(
    count: number,
    core: Core,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    plan: number,
    starter: WorkerStarter,
  ) {
    this.#core = core;
    this.#plan = plan;
    const onFailure = (error: unknown) => {
      if (!this.#stopping) this.fail(error);
    };
    this.#workers = Array.from({ length: count }, (_, i) => {
      const start: WorkerStart = { module, memory, plan, thread: i + 1 };
      return spawnWorker(start, onFailure, starter);
    });
  }

  /** Gives the threads up: a step was left undone, so no later one may build on it. */
  fail(error: unknown): void {
    this.#failure ??= error;
  }

  /** @throws WorkerError if a worker has died. */
  check(): void {
    if (this.#failure === null) return;
    throw new WorkerError('[threads] a worker thread died; dispose the model and load it again', {
      cause: this.#failure,
    });
  }

  /** Lets the workers end, and waits until they have. */
  async dispose(): Promise<void> {
    this.#stopping = true;
    this.#core.stop_workers(this.#plan);
    await Promise.all(this.#workers.splice(0).map((worker) => worker.end()));
  }
}
