// The page's end: calls to the host in the worker and their answers.

import { WorkerError } from '../errors.js';
import type { FetchLike } from '../model/files.js';
import type { Progress } from '../model/progress.js';
import type { OnTrace } from '../trace/step_trace.js';
import { isFetchMessage, PageFetches } from './page_fetches.js';
import type { CallName, Calls, State, ToHost, ToPage } from './protocol.js';
import { unpackError } from './wire_errors.js';

/** Browsers say no more than that it failed, and a page of another origin is why most often. */
export const NO_SCRIPT =
  "from a CDN import 'halfbyte/inline', as workers start from the page's own origin only; else see core.worker";

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  readonly onProgress: ((progress: Progress) => void) | undefined;
  readonly signal: AbortSignal | undefined;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export class Connection {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #fetches = new PageFetches((message) => {
    if (!this.#closed) this.#send(message);
  });
  /** Called with what each answer tells, before the call returns. */
  onState: (state: State) => void = () => {};
  onTrace: OnTrace | null = null;
  #lastId = 0;
  #closed: Error | null = null;

  constructor(worker: Worker) {
    this.#worker = worker;
    worker.addEventListener('message', ({ data }) => this.#receive(data as ToPage));
    worker.addEventListener('error', (event) => {
      event.preventDefault();
      const reason = event.message || `its script cannot be loaded; ${NO_SCRIPT}`;
      this.close(new WorkerError(`[worker] the worker of a model failed: ${reason}`));
    });
  }

  /** The page's own `fetch`. */
  set fetch(fetch: FetchLike) {
    this.#fetches.fetch = fetch;
  }

  get closed(): boolean {
    return this.#closed !== null;
  }

  /** An id for a call that is to be named by later ones. */
  nextId(): number {
    return ++this.#lastId;
  }

  /** @throws what the host throws; `signal.reason` when aborted; WorkerError if the worker is gone */
  call<K extends CallName>(
    call: K,
    args: Calls[K]['args'],
    { signal, onProgress }: CallOptions = {},
    id = this.nextId(),
  ): Promise<Calls[K]['result']> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed) return Promise.reject(this.#closed);
    return new Promise<Calls[K]['result']>((resolve, reject) => {
      const cancel = () => this.cancel(id);
      const settle =
        <T>(then: (value: T) => void) =>
        (value: T) => {
          signal?.removeEventListener('abort', cancel);
          then(value);
        };
      this.#send({ kind: 'call', id, call, args } as ToHost);
      signal?.addEventListener('abort', cancel);
      this.#pending.set(id, {
        resolve: settle(resolve as (value: unknown) => void),
        reject: settle(reject),
        onProgress,
        signal,
      });
    });
  }

  /** Aborts the call of this id, and what it has started. */
  cancel(id: number): void {
    if (!this.#closed) this.#send({ kind: 'cancel', id });
  }

  dropSampler(id: number): void {
    if (!this.#closed) this.#send({ kind: 'dropSampler', id });
  }

  /**
   * Ends the worker; calls under way end with this error.
   * @param afterMs leaves the worker that long
   */
  close(error: Error, afterMs = 0): void {
    if (this.#closed) return;
    this.#closed = error;
    if (afterMs === 0) this.#worker.terminate();
    else setTimeout(() => this.#worker.terminate(), afterMs);
    this.#fetches.cancelAll();
    for (const pending of this.#pending.values()) pending.reject(error);
    this.#pending.clear();
  }

  #send(message: ToHost): void {
    this.#worker.postMessage(message);
  }

  #receive(message: ToPage): void {
    if (isFetchMessage(message)) return this.#fetches.receive(message);
    if (message.kind === 'trace') return this.onTrace?.(message.step);
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.kind === 'progress') return this.#progress(pending, message);
    this.#pending.delete(message.id);
    this.onState(message.state);
    if (message.kind === 'result') return pending.resolve(message.value);
    const { error } = message;
    pending.reject(error.aborted && pending.signal ? pending.signal.reason : unpackError(error));
  }

  /** A callback that throws fails its call, as it does without a worker. */
  #progress(pending: Pending, { id, progress }: { id: number; progress: Progress }): void {
    try {
      pending.onProgress?.(progress);
      if (!this.#closed) this.#send({ kind: 'progressed', id });
    } catch (error) {
      this.#pending.delete(id);
      this.cancel(id);
      pending.reject(error);
    }
  }
}
