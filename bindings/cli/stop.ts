// What stops a run from outside: Ctrl-C, signals, a reader that has left, a full disk.

import { constants } from 'node:os';
import { Worker } from 'node:worker_threads';

const EXIT_FAILURE = 1;
/** A shell's exit code for a program that a signal has ended. */
const EXIT_SIGNAL = 128;
/** A run that is over sooner needs no thread to watch for Ctrl-C, which ends it at once. */
const WATCH_AFTER_MS = 200;
/** From build/bindings/cli/ and build/bundled/cli/ alike. */
const WATCH = new URL('../../bindings/cli/ctrl_c.js', import.meta.url);

/** Why a run was stopped; an empty message is not worth a word. */
export class Stop extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Aborts `signal` when the run is to stop. */
export class Stopper {
  readonly #controller = new AbortController();
  readonly #outputFailed: Promise<never>;
  #watching: Promise<void> | null = null;

  constructor() {
    this.#outputFailed = this.#watchOutput();
    this.#outputFailed.catch(() => undefined);
    setTimeout(() => this.#watchCtrlC(), WATCH_AFTER_MS).unref();
  }

  /** Its reason is a Stop. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /**
   * Resolves when Ctrl-C, SIGTERM and SIGHUP abort `signal`. Until then they end the process, as by default,
   * even one that computes without a pause; so this is for runs that have something to clear away. The second
   * Ctrl-C ends the process in any case. The other two do not: a terminal that closes may send them twice.
   */
  async holdSignals(): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => this.#interrupt(signal));
    }
    await this.#watchCtrlC();
  }

  /** Resolves when stdout has taken all. @throws Stop if it cannot */
  async flush(): Promise<void> {
    const written = new Promise<void>((resolve) => {
      process.stdout.write('', (error) => {
        if (!error) resolve();
      });
    });
    await Promise.race([this.#outputFailed, written]);
  }

  #abort(stop: Stop): void {
    this.#controller.abort(stop);
  }

  #interrupt(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void {
    this.#abort(new Stop('interrupted', EXIT_SIGNAL + constants.signals[signal]));
  }

  /** A reader that closes the pipe early (`| head`) is no error; a full disk is. */
  #watchOutput(): Promise<never> {
    // Progress and messages that nobody can get are not missed; the exit code is.
    process.stderr.on('error', () => {});
    return new Promise((_, reject) => {
      process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
        const stop =
          cause.code === 'EPIPE'
            ? new Stop('', 0, { cause })
            : new Stop(`[stdout] cannot be written: ${cause.message}`, EXIT_FAILURE, { cause });
        this.#abort(stop);
        reject(stop);
      });
    });
  }

  /** Resolves when Ctrl-C aborts. */
  #watchCtrlC(): Promise<void> {
    this.#watching ??= new Promise((resolve) => {
      const listen = () => {
        process.on('SIGINT', () => {
          if (this.signal.aborted) process.exit(EXIT_SIGNAL + constants.signals.SIGINT);
          this.#interrupt('SIGINT');
        });
        resolve();
      };
      // Other runtimes have no script that Ctrl-C breaks: there it is heard between two tasks only.
      if (process.versions.bun || process.versions.deno) return listen();
      try {
        const thread = new Worker(WATCH, { execArgv: [] });
        thread.unref();
        thread.on('error', listen);
        thread.on('message', (message: 'watching' | 'pressed') => {
          if (message === 'watching') resolve();
          else this.#interrupt('SIGINT');
        });
      } catch {
        listen();
      }
    });
    return this.#watching;
  }
}
