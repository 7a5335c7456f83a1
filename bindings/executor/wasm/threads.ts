// Worker threads of a model: each runs the core's run_worker on the shared memory and sleeps between steps.

import { spawnWorker } from '#platform';
import { PLAN_CLAIM, PLAN_DONE, PLAN_JOINED } from '../../../assembly/op_layout.js';
import { WorkerError } from '../../errors.js';
import { nextTask } from '../../platform/next_task.js';
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

/** Told when threads could not be started: how many of them, and why the latest one. */
export type OnMissing = (count: number, cause: unknown) => void;

/**
 * Naps of the core (barrier.ts: 50 ms each) without any chunk claimed or finished after which a thread is given up
 * that went without a word, as one that the browser's tools have ended: half a minute. Not by the clock, which
 * goes on while the machine sleeps.
 */
const PATIENCE = 600;

export class WorkerPool {
  readonly #workers: WorkerHandle[] = [];
  readonly #core: Core;
  readonly #words: Uint32Array;
  readonly #plan: number;
  readonly #count: number;
  /** Threads that ended without taking part in any step. */
  readonly #missing = new Set<number>();
  readonly #onMissing: OnMissing | null;
  #failure: { readonly message: string; readonly cause: unknown } | null = null;
  #stopping = false;

  /**
   * Starts `count` workers and does not wait for them: they join whatever step runs when they are up.
   * @param onMissing fewer will do, this is told; null: a thread that cannot be started fails `check`
   */
  constructor(
    count: number,
    core: Core,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory,
    plan: number,
    starter: WorkerStarter,
    onMissing: OnMissing | null = null,
  ) {
    this.#core = core;
    this.#words = new Uint32Array(memory.buffer);
    this.#plan = plan;
    this.#count = count;
    this.#onMissing = onMissing;
    for (let thread = 1; thread <= count; thread++) {
      const start: WorkerStart = { module, memory, plan, thread };
      try {
        this.#workers.push(spawnWorker(start, (cause) => this.#ended([thread], cause), starter));
      } catch (cause) {
        // What the system refuses to one it refuses to those after it.
        this.#ended(
          Array.from({ length: count + 1 - thread }, (_, i) => thread + i),
          cause,
        );
        break;
      }
    }
  }

  /** Gives the threads up: a step was left undone, so no later one may build on it. */
  fail(message: string, cause?: unknown): void {
    this.#failure ??= { message, cause };
  }

  /** @throws WorkerError if a worker has died, or could not be started and must not be missing. */
  check(): void {
    if (this.#failure === null) return;
    const { message, cause } = this.#failure;
    throw new WorkerError(`[threads] ${message}`, { cause });
  }

  /**
   * Goes on with a step that the core has left, letting the event loop turn in between: it tells of a thread
   * that died, and of an abort.
   * @throws WorkerError if a worker has died
   */
  async finishStep(): Promise<void> {
    let naps = 0;
    let seen = '';
    do {
      await nextTask();
      const progress = this.#progress();
      naps = progress === seen ? naps + 1 : 0;
      seen = progress;
      if (naps > PATIENCE)
        this.fail('a worker left its part of a step undone; load the model again');
      this.check();
    } while (!this.#core.run_plan(this.#plan, true));
  }

  /** Lets the workers end, and waits until they have. */
  async dispose(): Promise<void> {
    this.#stopping = true;
    this.#core.stop_workers(this.#plan);
    await Promise.all(this.#workers.splice(0).map((worker) => worker.end()));
  }

  /** An error is told, and the end that follows it. */
  #ended(threads: readonly number[], cause: unknown): void {
    const news = threads.filter((thread) => !this.#missing.has(thread));
    if (this.#stopping || news.length === 0) return;
    if (news.some((thread) => this.#hasJoined(thread))) {
      return this.fail('a worker thread died; dispose the model and load it again', cause);
    }
    for (const thread of news) this.#missing.add(thread);
    if (this.#onMissing) return this.#onMissing(this.#missing.size, cause);
    this.fail(
      `worker ${news[0]} of ${this.#count} could not be started (${reason(cause)}); ` +
        "load the model again with fewer threads, or with threads: 'auto'",
      cause,
    );
  }

  #hasJoined(thread: number): boolean {
    const at = (this.#plan + PLAN_JOINED) / 4 + (thread >> 5);
    return (Atomics.load(this.#words, at) & (1 << (thread & 31))) !== 0;
  }

  #progress(): string {
    const at = [PLAN_CLAIM, PLAN_CLAIM + 4, PLAN_DONE];
    return at.map((offset) => Atomics.load(this.#words, (this.#plan + offset) / 4)).join();
  }
}

/** Why a thread could not be started, in a few words. */
export function reason(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
