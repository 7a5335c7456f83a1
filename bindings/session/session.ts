// The state of one text in a model: its tokens and the KV pages that hold them. Calls on a session run one
// after another; steps of all sessions of a model take turns, so that a step and what reads its logits are
// never torn apart.

import { CapacityError, DisposedError, OptionError } from '../errors.js';
import type { MaybePromise, Row } from '../executor/executor.js';
import type { Progress } from '../model/progress.js';
import { nextTask } from '../platform/next_task.js';
import { checkLogits } from './finite_logits.js';
import { SessionPages } from './kv_pages.js';
import { logProbability } from './log_probability.js';
import type { SessionOwner, TokenChooser } from './owner.js';
import { TurnQueue } from './turn_queue.js';

export interface StepOptions {
  /** Aborting throws `signal.reason` and leaves the session as it was before the call. */
  readonly signal?: AbortSignal | undefined;
}

export interface PrefillOptions extends StepOptions {
  /** Called after every chunk with stage `prefill` and counts of tokens. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** How a run of tokens is cut and what is done with its logits. */
interface Feed<T> {
  readonly tokens: ArrayLike<number>;
  /** Position of the first of them; they replace what the session holds from there on. */
  readonly from: number;
  /** Rows of a step, and whether all of them want logits or only the very last. */
  readonly rowsPerStep: number;
  readonly wantAll: boolean;
  /** Called in the same turn as each step whose logits are wanted, with the index of its first token. */
  readonly read: (begin: number, rows: number) => MaybePromise<T>;
}

export class Session {
  /** Most tokens it can hold. */
  readonly contextLength: number;
  readonly #owner: SessionOwner;
  readonly #pages: SessionPages;
  readonly #calls = new TurnQueue();
  #tokens: number[] = [];
  #disposed = false;

  /** Use `model.createSession()`. */
  constructor(owner: SessionOwner, contextLength: number, forkOf?: SessionPages) {
    this.contextLength = contextLength;
    this.#owner = owner;
    this.#pages = forkOf?.fork() ?? new SessionPages(owner.pages, contextLength);
    owner.sessions.add(this);
    owner.known.add(this);
  }

  /** Tokens held. */
  get length(): number {
    return this.#tokens.length;
  }

  /** The tokens held, in order. */
  get tokens(): readonly number[] {
    return this.#tokens;
  }

  /**
   * Appends tokens.
   * @returns logits [vocabSize] of the last one, a copy
   * @throws OptionError for no tokens or bad ones, CapacityError if the context or the memory is full,
   *   FormatError for logits that are not finite, `signal.reason` when aborted; the session is then as it was
   *   before
   */
  async prefill(tokens: ArrayLike<number>, options: PrefillOptions = {}): Promise<Float32Array> {
    const copyLogits = async () => (await this.#owner.executor.logits(0)).slice();
    return this.#append(tokens, options, copyLogits);
  }

  /** Appends one token. @returns its logits [vocabSize], a copy; `sample` needs none */
  async decode(token: number, options: StepOptions = {}): Promise<Float32Array> {
    return this.prefill([token], options);
  }

  /**
   * Appends tokens and picks the one that follows, beside the core: no logits are copied. The pick is not
   * appended.
   * @throws as `prefill`
   */
  async sample(
    tokens: ArrayLike<number>,
    sampler: TokenChooser,
    options: PrefillOptions = {},
  ): Promise<number> {
    const { executor } = this.#owner;
    return this.#append(tokens, options, () => sampler.choose(executor, 0, this.#tokens));
  }

  /**
   * Appends tokens.
   * @returns natural logarithm of each token's probability, given everything before it; NaN for the first
   *   token of an empty session, which nothing predicts
   * @throws as `prefill`
   */
  async logProbs(tokens: ArrayLike<number>, options: PrefillOptions = {}): Promise<Float64Array> {
    const { executor } = this.#owner;
    const given = this.#checked(tokens);
    return this.#exclusive(async () => {
      const result = new Float64Array(given.length).fill(Number.NaN);
      // The last token held is fed again, as its logits predict the first one given.
      const again = this.#tokens.slice(-1);
      const fed = [...again, ...given];
      const read = async (begin: number, rows: number) => {
        for (let i = 0; i < rows; i++) {
          const at = begin + i + 1 - again.length;
          if (at < given.length) result[at] = logProbability(await executor.logits(i), given[at]!);
        }
      };
      const from = this.length - again.length;
      const rowsPerStep = executor.logitRowsPerStep;
      await this.#feed({ tokens: fed, from, rowsPerStep, wantAll: true, read }, options);
      return result;
    });
  }

  /**
   * A second session with the same tokens. Pages are shared until one of the two writes into them.
   * @throws CapacityError if there is no room for another page table
   */
  async fork(): Promise<Session> {
    const { turns } = this.#owner;
    const copy = () => {
      const other = new Session(this.#owner, this.contextLength, this.#pages);
      other.#tokens = this.#tokens.slice();
      return other;
    };
    return this.#exclusive(() => turns.run(copy));
  }

  /** Keeps the first `length` tokens. @throws OptionError unless 0 <= length <= this.length */
  async truncate(length: number): Promise<void> {
    return this.#exclusive(() => {
      if (!Number.isInteger(length) || length < 0 || length > this.length) {
        throw new OptionError(
          `[session] truncate: expected a length from 0 to ${this.length}, came ${length}`,
        );
      }
      this.#pages.truncate(length);
      this.#tokens.length = length;
    });
  }

  /** Returns the pages to the model. A call under way ends with a DisposedError. May be called twice. */
  async dispose(): Promise<void> {
    this.#disposed = true;
    await this.#calls.run(() => this.#pages.dispose());
    this.#owner.sessions.delete(this);
  }

  async #append<T>(
    tokens: ArrayLike<number>,
    options: PrefillOptions,
    read: () => MaybePromise<T>,
  ): Promise<T> {
    const given = this.#checked(tokens);
    const { rowsPerStep } = this.#owner.executor;
    return this.#exclusive(() => {
      const from = this.length;
      return this.#feed({ tokens: given, from, rowsPerStep, wantAll: false, read }, options);
    });
  }

  /** A copy, so that the caller may change the original while it is being fed. */
  #checked(tokens: ArrayLike<number>): number[] {
    this.#use();
    const { vocabSize } = this.#owner;
    if (tokens.length === 0)
      throw new OptionError('[session] expected at least one token, came none');
    return Array.from(tokens, (token, i) => {
      if (Number.isInteger(token) && token >= 0 && token < vocabSize) return token;
      throw new OptionError(
        `[session] token ${i}: expected an integer from 0 to ${vocabSize - 1}, came ${token}`,
      );
    });
  }

  /** Runs `work` when all earlier calls on this session have ended. */
  #exclusive<T>(work: () => MaybePromise<T>): Promise<T> {
    this.#use();
    return this.#calls.run(() => {
      this.#use();
      return work();
    });
  }

  /** Runs all steps of a feed; whatever fails, the session stays as it was. @returns the last `read` */
  async #feed<T>(feed: Feed<T>, options: PrefillOptions): Promise<T> {
    const { tokens, from } = feed;
    const before = this.length;
    const length = from + tokens.length;
    if (length > this.contextLength) {
      throw new CapacityError(
        `[session] ${tokens.length} tokens after ${from} need a context of ${length}, it has ${this.contextLength}`,
      );
    }
    options.signal?.throwIfAborted();
    await this.#owner.turns.run(() => this.#pages.reserve(from, length, before));
    try {
      return await this.#steps(feed, options);
    } catch (error) {
      this.#pages.truncate(before);
      this.#tokens.length = before;
      throw error;
    }
  }

  async #steps<T>(feed: Feed<T>, { signal, onProgress }: PrefillOptions): Promise<T> {
    const { executor, turns } = this.#owner;
    const total = feed.tokens.length;
    let result: { readonly value: T } | undefined;
    for (let begin = 0; begin < total; begin += feed.rowsPerStep) {
      await nextTask();
      signal?.throwIfAborted();
      const rows = this.#rows(feed, begin, Math.min(begin + feed.rowsPerStep, total));
      const wanted = rows.some((row) => row.wantLogits);
      await turns.run(async () => {
        this.#use();
        await executor.run(rows);
        await checkLogits(executor, rows);
        for (const { position, token } of rows) this.#tokens[position] = token;
        if (wanted) result = { value: await feed.read(begin, rows.length) };
      });
      onProgress?.({ stage: 'prefill', done: begin + rows.length, total });
    }
    return result!.value;
  }

  #rows<T>({ tokens, from, wantAll }: Feed<T>, begin: number, end: number): Row[] {
    const rows: Row[] = [];
    const pages = this.#pages.table;
    for (let i = begin; i < end; i++) {
      const wantLogits = wantAll || i === tokens.length - 1;
      rows.push({ token: tokens[i]!, position: from + i, pages, wantLogits });
    }
    return rows;
  }

  #use(): void {
    if (this.#disposed) throw new DisposedError('[session] it was disposed');
  }
}
