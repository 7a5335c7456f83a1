// What a session has from its model and its caller.

import { OptionError, show } from '../errors.js';
import type { Executor, MaybePromise } from '../executor/executor.js';
import type { Progress } from '../model/progress.js';
import { checkOptionNames, type OptionNames } from '../options.js';
import type { KvPages } from './kv_pages.js';
import type { TurnQueue } from './turn_queue.js';

/** What all sessions of a model share. */
export interface SessionOwner {
  readonly executor: Executor;
  readonly pages: KvPages;
  /**
   * Steps of all sessions. Pages and tables are allocated in a turn too: the core's memory may grow by it,
   * which invalidates the views on logits that a sampler is reading.
   */
  readonly turns: TurnQueue;
  readonly vocabSize: number;
  /** Sessions that are not disposed. */
  readonly sessions: Set<{ dispose(): Promise<void> }>;
  /** All sessions of the model, disposed ones too. */
  readonly known: WeakSet<object>;
}

export interface StepOptions {
  /**
   * Aborting throws `signal.reason` and leaves the session as it was before the call, whatever the call waits
   * for: an earlier one, its turn, a thread or a token chooser. Only a step that runs on this thread ends first.
   */
  readonly signal?: AbortSignal | undefined;
}

export interface PrefillOptions extends StepOptions {
  /** Called after every chunk with stage `prefill` and counts of tokens. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

const PREFILL_OPTIONS: OptionNames<PrefillOptions> = { signal: true, onProgress: true };

/** Of every call that feeds tokens. @throws OptionError for a name that there is not */
export function checkStepOptions(options: PrefillOptions): void {
  checkOptionNames('session', options, PREFILL_OPTIONS);
}

/** What a token is chosen from: as `Executor` has it. */
export type LogitsReader = Pick<Executor, 'logits' | 'softmax'>;

/**
 * Picks the next token from the logits of the latest step; `Sampler` is one. It may take its time: others than a
 * `Sampler` get a copy of the logits, so that meanwhile other sessions go on. Its own session waits, until the
 * call is aborted or the session disposed.
 */
export interface TokenChooser {
  /**
   * @param executor the logits, to be read or changed in place
   * @param index which of the step's logit rows
   * @param history the session's tokens, up to and with the one these logits belong to
   */
  choose(executor: LogitsReader, index: number, history: readonly number[]): MaybePromise<number>;
}

/**
 * `choose` functions that wait for nothing but the executor, and therefore run in the turn of the step, on the
 * executor's own logits.
 */
export const CHOOSING_IN_TURN = new WeakSet<TokenChooser['choose']>();

/** A generation's hold on a session. */
export interface Occupation {
  /**
   * Drops the tokens that the session does not have in common with the start of `prompt`, whose last one must be
   * fed in any case.
   * @returns tokens kept
   */
  keepPrefix(prompt: readonly number[], options?: StepOptions): Promise<number>;
  /** As the session's. */
  prefill(tokens: ArrayLike<number>, options?: PrefillOptions): Promise<Float32Array>;
  /** As the session's. */
  sample(
    tokens: ArrayLike<number>,
    chooser: TokenChooser,
    options?: PrefillOptions,
  ): Promise<number>;
  /** Lets others change the tokens again, unless a later generation has begun. */
  end(): void;
}

/**
 * A copy of tokens to feed, so that the caller may change the original meanwhile.
 * @throws OptionError for none at all, and for what is no token
 */
export function checkedTokens(tokens: ArrayLike<number>, vocabSize: number): number[] {
  if (tokens.length === 0)
    throw new OptionError('[session] expected at least one token, came none');
  return Array.from(tokens, (token, i) => {
    if (Number.isInteger(token) && token >= 0 && token < vocabSize) return token;
    throw new OptionError(
      `[session] token ${i}: expected an integer from 0 to ${vocabSize - 1}, came ${show(token)}`,
    );
  });
}
