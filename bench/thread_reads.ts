// Sequential reads of one memory by several threads at once, a part each: what the roofline is where a
// kernel runs on as many.

import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { Core } from '../bindings/executor/wasm/core.js';

export interface ReadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** [rounds started, threads that are done with the round]. */
  readonly control: Int32Array;
  readonly at: number;
  readonly bytes: number;
}

export class ThreadReads {
  readonly #core: Core;
  readonly #workers: readonly Worker[];
  readonly #control: Int32Array;
  readonly #at: number;
  readonly #part: number;

  private constructor(
    core: Core,
    workers: readonly Worker[],
    control: Int32Array,
    at: number,
    part: number,
  ) {
    this.#core = core;
    this.#workers = workers;
    this.#control = control;
    this.#at = at;
    this.#part = part;
  }

  /** @param bytes of all threads together; each part is a multiple of 128 */
  static async start(
    core: Core,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    at: number,
    bytes: number,
    threads: number,
  ): Promise<ThreadReads> {
    const control = new Int32Array(new SharedArrayBuffer(8));
    const part = Math.floor(bytes / threads / 128) * 128;
    const workers = Array.from({ length: threads - 1 }, (_, i) => {
      const start: ReadStart = { module, memory, control, at: at + (i + 1) * part, bytes: part };
      return new Worker(new URL('read_thread.js', import.meta.url), { workerData: start });
    });
    await Promise.all(workers.map((worker) => once(worker, 'message')));
    return new ThreadReads(core, workers, control, at, part);
  }

  /** Reads all parts once. */
  run(): void {
    Atomics.store(this.#control, 1, 0);
    Atomics.add(this.#control, 0, 1);
    Atomics.notify(this.#control, 0);
    this.#core.read_all(this.#at, this.#part);
    while (Atomics.load(this.#control, 1) < this.#workers.length);
  }

  async end(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }
}
