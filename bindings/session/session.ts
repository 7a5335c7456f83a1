// One text in a model. Calls on a session run one after another; steps of all sessions of a model take turns, so
// that a step and what reads its logits are never torn apart. While a generation runs in a session, only it may
// change the tokens.

import { OptionError, show } from '../errors.js';
import type { MaybePromise } from '../executor/executor.js';
import { logProbability } from './log_probability.js';
import { LogitsCopy } from './logits_copy.js';
import {
  CHOOSING_IN_TURN,
  checkedTokens,
  checkStepOptions,
  type Occupation,
  type PrefillOptions,
  type SessionOwner,
  type StepOptions,
  type TokenChooser,
} from './owner.js';
import { SessionState } from './session_state.js';

const asRead = <T>(last: T): T => last;

export class Session {
  /** Most tokens it can hold. */
  readonly contextLength: number;
  readonly #owner: SessionOwner;
  readonly #state: SessionState;
  /** The generation that runs in it. */
  #occupant: Occupation | null = null;

  /** Use `model.createSession()`. */
  constructor(owner: SessionOwner, contextLength: number, forkOf?: SessionState) {
    this.contextLength = contextLength;
    this.#owner = owner;
    this.#state = new SessionState(owner, contextLength, forkOf);
    owner.sessions.add(this);
    owner.known.add(this);
  }

  /**
   * For a generation: only it may change the tokens from now on. One that occupied the session before may no more.
   * @throws DisposedError
   */
  static occupy(session: Session): Occupation {
    session.#state.use();
    const occupation: Occupation = {
      keepPrefix: (prompt, options) => session.#keepPrefix(occupation, prompt, options),
      prefill: (tokens, options) => session.#prefill(occupation, tokens, options),
      sample: (tokens, chooser, options) => session.#sample(occupation, tokens, chooser, options),
      end: () => {
        if (session.#occupant === occupation) session.#occupant = null;
      },
    };
    session.#occupant = occupation;
    return occupation;
  }

  /**
   * For measuring: appends tokens.
   * @param each gets the logits [vocabSize] of each, in order: a view that lasts as long as the call
   * @throws as `prefill`
   */
  static async readLogits(
    session: Session,
    tokens: ArrayLike<number>,
    each: (index: number, logits: Float32Array) => void,
    options: StepOptions = {},
  ): Promise<void> {
    const given = session.#checked(null, tokens);
    return session.#state.exclusive(
      () => session.#eachLogits(given, session.length, each, options),
      options.signal,
    );
  }

  /** Tokens held. */
  get length(): number {
    return this.#state.tokens.length;
  }

  /** The tokens held, in order. */
  get tokens(): readonly number[] {
    return this.#state.tokens;
  }

  /**
   * Appends tokens.
   * @returns logits [vocabSize] of the last one, a copy
   * @throws OptionError for no tokens or bad ones, and while a generation runs in the session; CapacityError if the
   *   context or the memory is full, FormatError for logits that are not finite, `signal.reason` when aborted; the
   *   session is then as it was before
   */
  async prefill(tokens: ArrayLike<number>, options: PrefillOptions = {}): Promise<Float32Array> {
    return this.#prefill(null, tokens, options);
  }

  /** Appends one token. @returns its logits [vocabSize], a copy; `sample` needs none */
  async decode(token: number, options: StepOptions = {}): Promise<Float32Array> {
    return this.prefill([token], options);
  }

  /**
   * Appends tokens and picks the one that follows, beside the core: with a `Sampler` no logits are copied. The
   * pick is not appended.
   * @throws as `prefill`
   */
  async sample(
    tokens: ArrayLike<number>,
    sampler: TokenChooser,
    options: PrefillOptions = {},
  ): Promise<number> {
    return this.#sample(null, tokens, sampler, options);
  }

  /**
   * Appends tokens.
   * @returns natural logarithm of each token's probability, given everything before it; NaN for the first
   *   token of an empty session, which nothing predicts
   * @throws as `prefill`
   */
  async logProbs(tokens: ArrayLike<number>, options: PrefillOptions = {}): Promise<Float64Array> {
    checkStepOptions(options);
    const given = this.#checked(null, tokens);
    return this.#state.exclusive(async () => {
      const result = new Float64Array(given.length).fill(Number.NaN);
      // The last token held is fed again, as its logits predict the first one given.
      const again = this.#state.tokens.slice(-1);
      const each = (i: number, logits: Float32Array) => {
        const at = i + 1 - again.length;
        if (at < given.length) result[at] = logProbability(logits, given[at]!);
      };
      await this.#eachLogits([...again, ...given], this.length - again.length, each, options);
      return result;
    }, options.signal);
  }

  /**
   * A second session with the same tokens. Pages are shared until one of the two writes into them. Possible while
   * a generation runs in this one: it is copied as it is between two tokens.
   * @throws CapacityError if there is no room for another page table
   */
  async fork(): Promise<Session> {
    const { turns } = this.#owner;
    const copy = () => new Session(this.#owner, this.contextLength, this.#state);
    return this.#state.exclusive(() => turns.run(copy));
  }

  /**
   * Keeps the first `length` tokens.
   * @throws OptionError unless 0 <= length <= this.length, and while a generation runs in the session
   */
  async truncate(length: number): Promise<void> {
    this.#state.use();
    this.#admit(null);
    return this.#state.exclusive(() => {
      if (!Number.isInteger(length) || length < 0 || length > this.length) {
        throw new OptionError(
          `[session] truncate: expected a length from 0 to ${this.length}, came ${show(length)}`,
        );
      }
      this.#state.keep(length);
    });
  }

  /**
   * Returns the pages to the model. A call under way ends with a DisposedError, and so does a generation. May be
   * called twice.
   */
  async dispose(): Promise<void> {
    await this.#state.dispose();
    this.#owner.sessions.delete(this);
  }

  async #prefill(
    by: Occupation | null,
    tokens: ArrayLike<number>,
    options: PrefillOptions = {},
  ): Promise<Float32Array> {
    const copyLogits = async () => (await this.#owner.executor.logits(0)).slice();
    return this.#append(by, tokens, options, copyLogits, asRead);
  }

  async #sample(
    by: Occupation | null,
    tokens: ArrayLike<number>,
    chooser: TokenChooser,
    options: PrefillOptions = {},
  ): Promise<number> {
    const { executor } = this.#owner;
    if (CHOOSING_IN_TURN.has(chooser.choose)) {
      const choose = () => chooser.choose(executor, 0, this.#state.tokens);
      return this.#append(by, tokens, options, choose, asRead);
    }
    const copyLogits = () => LogitsCopy.take(this.#owner);
    const choose = async (logits: LogitsCopy) => chooser.choose(logits, 0, this.#state.tokens);
    return this.#append(by, tokens, options, copyLogits, (logits) =>
      this.#state.untilEnded(choose(logits), options.signal),
    );
  }

  async #keepPrefix(
    by: Occupation,
    prompt: readonly number[],
    { signal }: StepOptions = {},
  ): Promise<number> {
    this.#admit(by);
    return this.#state.exclusive(() => {
      const most = Math.min(this.length, prompt.length - 1);
      let length = 0;
      while (length < most && this.#state.tokens[length] === prompt[length]) length++;
      this.#state.keep(length);
      return length;
    }, signal);
  }

  async #append<T, R>(
    by: Occupation | null,
    tokens: ArrayLike<number>,
    options: PrefillOptions,
    read: () => MaybePromise<T>,
    finish: (last: T) => MaybePromise<R>,
  ): Promise<R> {
    checkStepOptions(options);
    const given = this.#checked(by, tokens);
    const { rowsPerStep } = this.#owner.executor;
    return this.#state.exclusive(() => {
      const from = this.length;
      const feed = { tokens: given, from, rowsPerStep, wantAll: false, read, finish };
      return this.#state.feed(feed, options);
    }, options.signal);
  }

  /** Feeds tokens from position `from` on, of which all want logits. */
  #eachLogits(
    tokens: readonly number[],
    from: number,
    each: (index: number, logits: Float32Array) => void,
    options: PrefillOptions,
  ): Promise<void> {
    const { executor } = this.#owner;
    const read = async (begin: number, rows: number) => {
      for (let i = 0; i < rows; i++) each(begin + i, await executor.logits(i));
    };
    const rowsPerStep = executor.logitRowsPerStep;
    const finish = () => undefined;
    return this.#state.feed({ tokens, from, rowsPerStep, wantAll: true, read, finish }, options);
  }

  /** @param by null: a call from outside of any generation */
  #admit(by: Occupation | null): void {
    if (this.#occupant === by) return;
    throw new OptionError(
      by
        ? '[generate] session: another generation began in it; fork it to run both'
        : '[session] a generation runs in it, and only that may change its tokens: end it, or fork the session',
    );
  }

  /** A copy, so that the caller may change the original while it is being fed. */
  #checked(by: Occupation | null, tokens: ArrayLike<number>): number[] {
    this.#state.use();
    this.#admit(by);
    return checkedTokens(tokens, this.#owner.vocabSize);
  }
}
