// The tokens of a session, the KV pages that hold them, and how more get into it: in steps, all tokens of a call or
// none.

import { CapacityError, DisposedError } from '../errors.js';
import type { MaybePromise, Row } from '../executor/executor.js';
import { nextTask } from '../platform/next_task.js';
import { untilAborted } from '../platform/until_aborted.js';
import { checkLogits } from './finite_logits.js';
import { SessionPages } from './kv_pages.js';
import type { PrefillOptions, SessionOwner } from './owner.js';
import { TurnQueue } from './turn_queue.js';

/** How a run of tokens is cut and what is done with its logits. */
export interface Feed<T, R> {
  readonly tokens: ArrayLike<number>;
  /** Position of the first of them; they replace what the session holds from there on. */
  readonly from: number;
  /** Rows of a step, and whether all of them want logits or only the very last. */
  readonly rowsPerStep: number;
  readonly wantAll: boolean;
  /** Called in the same turn as each step whose logits are wanted, with the index of its first token. */
  readonly read: (begin: number, rows: number) => MaybePromise<T>;
  /** Called with the last `read` when the turn is over. */
  readonly finish: (last: T) => MaybePromise<R>;
}

export class SessionState {
  readonly tokens: number[];
  readonly #owner: SessionOwner;
  readonly #contextLength: number;
  readonly #pages: SessionPages;
  readonly #calls = new TurnQueue();
  /** Aborted by `dispose`. */
  readonly #disposal = new AbortController();
  /** This session's turn, while it lasts. */
  #turn: Promise<void> | null = null;
  /** When the pages of a call that was aborted in its turn are given back. */
  #settled: Promise<void> | null = null;

  constructor(owner: SessionOwner, contextLength: number, forkOf?: SessionState) {
    this.#owner = owner;
    this.#contextLength = contextLength;
    this.#pages = forkOf ? forkOf.#pages.fork() : new SessionPages(owner.pages, contextLength);
    this.tokens = forkOf ? forkOf.tokens.slice() : [];
  }

  /** @throws DisposedError */
  use(): void {
    this.#disposal.signal.throwIfAborted();
  }

  /** Runs `work` when all earlier calls on this session have ended. */
  exclusive<T>(work: () => MaybePromise<T>, signal?: AbortSignal): Promise<T> {
    this.use();
    return this.#calls.run(async () => {
      await this.#settled;
      this.use();
      return work();
    }, signal);
  }

  /** Keeps the first `length` tokens. */
  keep(length: number): void {
    this.#pages.truncate(length);
    this.tokens.length = length;
  }

  /** Returns the pages. A call under way ends with a DisposedError. */
  dispose(): Promise<void> {
    this.#disposal.abort(new DisposedError('[session] it was disposed'));
    return this.#calls.run(async () => {
      await this.#settled;
      this.#pages.dispose();
    });
  }

  /** Runs all steps of a feed; whatever fails, the session stays as it was. @returns what `finish` makes of it */
  async feed<T, R>(feed: Feed<T, R>, options: PrefillOptions): Promise<R> {
    const { tokens, from } = feed;
    const before = this.tokens.length;
    const length = from + tokens.length;
    if (length > this.#contextLength) {
      throw new CapacityError(
        `[session] ${tokens.length} tokens after ${from} need a context of ${length}, it has ${this.#contextLength}`,
      );
    }
    options.signal?.throwIfAborted();
    try {
      return await feed.finish(await this.#steps(feed, options));
    } catch (error) {
      this.tokens.length = before;
      const giveBack = () => this.#pages.truncate(before);
      // Threads write into the pages until the step is over, aborted or not.
      if (this.#turn) this.#settled = this.#turn.then(giveBack, giveBack);
      else giveBack();
      throw error;
    }
  }

  /** @returns the last `read` */
  async #steps<T, R>(feed: Feed<T, R>, { signal, onProgress }: PrefillOptions): Promise<T> {
    const { executor } = this.#owner;
    const total = feed.tokens.length;
    let result: { readonly value: T } | undefined;
    for (let begin = 0; begin < total; begin += feed.rowsPerStep) {
      await nextTask();
      signal?.throwIfAborted();
      const rows = this.#rows(feed, begin, Math.min(begin + feed.rowsPerStep, total));
      const wanted = rows.some((row) => row.wantLogits);
      await this.#inTurn(async () => {
        if (begin === 0) this.#pages.reserve(feed.from, feed.from + total, this.tokens.length);
        await executor.run(rows);
        this.#checkEnd(signal);
        await checkLogits(executor, rows);
        for (const { position, token } of rows) this.tokens[position] = token;
        if (wanted) result = { value: await feed.read(begin, rows.length) };
      }, signal);
      onProgress?.({ stage: 'prefill', done: begin + rows.length, total });
    }
    return result!.value;
  }

  /** Runs `work` in a turn. An abort ends the call at once, but not a turn that has begun. */
  async #inTurn(work: () => Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const turn = this.#owner.turns.run(async () => {
      this.#checkEnd(signal);
      this.#turn = work();
      try {
        await this.#turn;
      } finally {
        this.#turn = null;
      }
    });
    await this.untilEnded(turn, signal);
  }

  /** What `work` brings, unless the call is aborted or the session disposed before. */
  untilEnded<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return untilAborted(work, signal, this.#disposal.signal);
  }

  #checkEnd(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    this.use();
  }

  #rows<T, R>({ tokens, from, wantAll }: Feed<T, R>, begin: number, end: number): Row[] {
    const rows: Row[] = [];
    const pages = this.#pages.table;
    for (let i = begin; i < end; i++) {
      const wantLogits = wantAll || i === tokens.length - 1;
      rows.push({ token: tokens[i]!, position: from + i, pages, wantLogits });
    }
    return rows;
  }
}
