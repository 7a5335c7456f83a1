// The other end of decode_child.ts: a model in a process of its own, so that builds do not share a heap,
// compiled code or a peak of memory.

import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Trial } from '../bindings/cli/trial.js';
import type { Simd } from '../bindings/index.js';

/** One of those that are measured in turn. */
export interface Contestant {
  readonly label: string;
  /** A build/ folder. */
  readonly build: string;
  readonly threads: number;
}

export type Request =
  | { readonly kind: 'load' }
  | { readonly kind: 'hold'; readonly tokens: readonly number[] }
  | { readonly kind: 'trial'; readonly prompt: readonly number[]; readonly decodeTokens: number };

export interface Loaded {
  /** Reading the files' bytes and nothing else. */
  readonly readMs: number;
  readonly loadMs: number;
  readonly vocabSize: number;
  readonly simd: Simd;
}

export interface TrialResult extends Trial {
  /** Of the process, so far. */
  readonly peakMemoryBytes: number;
}

export type Reply = { readonly result: unknown } | { readonly error: string };

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), 'decode_child.js');

export class DecodeProcess {
  readonly #child: ChildProcess;
  readonly #label: string;

  /** @param model a directory or file */
  constructor({ label, build, threads }: Contestant, model: string) {
    this.#label = label;
    this.#child = fork(SCRIPT, [build, model, String(threads)]);
  }

  /** Reads the model's files, then loads it, in place of one loaded before. */
  load(): Promise<Loaded> {
    return this.#ask({ kind: 'load' }) as Promise<Loaded>;
  }

  /** Every trial from now on begins after these tokens. */
  async hold(tokens: readonly number[]): Promise<void> {
    await this.#ask({ kind: 'hold', tokens });
  }

  trial(prompt: readonly number[], decodeTokens: number): Promise<TrialResult> {
    return this.#ask({ kind: 'trial', prompt, decodeTokens }) as Promise<TrialResult>;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.kill();
    await exit;
  }

  /** @throws Error with what the child reports, or if it ends */
  async #ask(request: Request): Promise<unknown> {
    const stop = new AbortController();
    const { signal } = stop;
    this.#child.send(request);
    const message = once(this.#child, 'message', { signal }) as Promise<[Reply]>;
    const exit = once(this.#child, 'exit', { signal }).then(([code, cause]) => {
      throw new Error(`[bench] ${this.#label}: the process ended with ${code ?? cause}`);
    });
    try {
      const [reply] = await Promise.race([message, exit]);
      if ('error' in reply) throw new Error(`[bench] ${this.#label}: ${reply.error}`);
      return reply.result;
    } finally {
      for (const waiting of [message, exit]) waiting.catch(() => {});
      stop.abort();
    }
  }
}
