// Threads that fit strips. A strip is the same whichever thread fits it, so a thread that cannot be started or dies
// costs time only: this one does its work.

import { type AnsweringWorker, startAnswering } from '#platform';
import type { FittedStrip } from './fit.js';
import { FitCore } from './fit_core.js';
import { fitStrip, type StripJob } from './fit_strip.js';

const SCRIPT: readonly string[] = ['bindings', 'compress', 'fit', 'fit_worker.js'];

interface Asked {
  readonly job: StripJob;
  readonly resolve: (strip: FittedStrip | null) => void;
  readonly reject: (cause: unknown) => void;
}

interface FitWorker {
  readonly thread: AnsweringWorker;
  /** What it has been asked and not yet answered, in order. */
  readonly asked: Asked[];
}

export class FitThreads {
  readonly #core: FitCore;
  readonly #workers = new Set<FitWorker>();

  private constructor(core: FitCore) {
    this.#core = core;
  }

  /**
   * @param threads of which one is this, where there is but one; others fit while this one reads and writes
   * @param strips that there will be: more threads are of no use
   * @param script of a thread, from build/
   */
  static async start(threads: number, strips: number, script = SCRIPT): Promise<FitThreads> {
    const module = await FitCore.module();
    const started = new FitThreads(new FitCore(module));
    const count = Math.min(threads, strips);
    if (count > 1) for (let i = 0; i < count; i++) started.#add(module, script);
    return started;
  }

  /** Strips that keep all threads busy. */
  get capacity(): number {
    return Math.max(1, 2 * this.#workers.size);
  }

  /** @returns the strip; null: a value of it is not finite */
  async fit(job: StripJob): Promise<FittedStrip | null> {
    const [first, ...others] = this.#workers;
    if (!first) return fitStrip(this.#core, job);
    const idlest = others.reduce(
      (best, worker) => (worker.asked.length < best.asked.length ? worker : best),
      first,
    );
    return new Promise((resolve, reject) => {
      idlest.asked.push({ job, resolve, reject });
      idlest.thread.ask(job);
    });
  }

  /** Ends the threads; strips that are not there yet never come. */
  async end(): Promise<void> {
    const workers = [...this.#workers];
    this.#workers.clear();
    await Promise.all(workers.map(({ thread }) => thread.end()));
  }

  #add(module: WebAssembly.Module, script: readonly string[]): void {
    const asked: Asked[] = [];
    const onAnswer = (strip: unknown) => asked.shift()!.resolve(strip as FittedStrip | null);
    const onFailure = () => {
      if (worker) this.#giveUp(worker);
    };
    let worker: FitWorker | null = null;
    try {
      const thread = startAnswering(script, module, onAnswer, onFailure);
      worker = { thread, asked };
      this.#workers.add(worker);
    } catch {
      // What the system does not give, is done here.
    }
  }

  #giveUp(worker: FitWorker): void {
    if (!this.#workers.delete(worker)) return;
    for (const { job, resolve, reject } of worker.asked.splice(0)) {
      this.fit(job).then(resolve, reject);
    }
  }
}
