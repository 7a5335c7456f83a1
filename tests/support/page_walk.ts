// A random walk over sessions, done twice: by `Session`, and by the simplest model of it (page_model.ts). After
// every step the two must agree on tokens, on pages in use, and on who shares which.

import * as assert from 'uvu/assert';
import { type Executor, PAGE_SIZE } from '../../bindings/executor/executor.js';
import { Sampler } from '../../bindings/sampler/sampler.js';
import { logProbability } from '../../bindings/session/log_probability.js';
import type { SessionOwner } from '../../bindings/session/owner.js';
import { Session } from '../../bindings/session/session.js';
import { ownerOf } from './fake_executor.js';
import { BROKEN, Faults, recordPages } from './page_faults.js';
import {
  FEED_KINDS,
  type Feed,
  type FeedOutcome,
  type ModelSession,
  PageModel,
} from './page_model.js';
import type { TestRandom } from './random.js';

const MOST_SESSIONS = 6;

export interface WalkOptions {
  readonly executor: Executor;
  readonly vocabSize: number;
  readonly contextLength: number;
  /** Pages that the executor's pool has. */
  readonly maxPages: number;
  /** Logits after these tokens in a session that never held any other. */
  readonly fresh: (tokens: readonly number[]) => ArrayLike<number> | Promise<ArrayLike<number>>;
  readonly random: TestRandom;
}

interface Pair {
  readonly real: Session;
  readonly model: ModelSession;
  /** Entries of the page table. */
  readonly table: readonly number[];
}

const NEVER = Number.POSITIVE_INFINITY;
const ABORT = new Error('enough');

/** The code or message that each ends with. */
const ENDS: Readonly<Record<FeedOutcome, string>> = {
  done: 'done',
  'context full': 'CAPACITY',
  'pool full': 'CAPACITY',
  aborted: ABORT.message,
  failed: BROKEN.message,
  'not finite': 'FORMAT',
};

export class PageWalk {
  /** How often each outcome was seen. */
  readonly seen = new Map<string, number>();
  readonly #options: WalkOptions;
  readonly #owner: SessionOwner;
  readonly #faults: Faults;
  readonly #model: PageModel;
  readonly #pairs: Pair[] = [];
  readonly #pool: ReturnType<typeof recordPages>;

  constructor(options: WalkOptions) {
    const { executor, vocabSize } = options;
    this.#options = options;
    this.#faults = new Faults(executor);
    this.#pool = recordPages(executor.kv);
    this.#model = new PageModel({ ...options, ...rowLimits(executor) });
    this.#owner = ownerOf(this.#faults.executor, vocabSize);
  }

  async step(): Promise<void> {
    const { random } = this.#options;
    const choice = random.below(20);
    const pair = this.#pairs[random.below(this.#pairs.length)];
    if (!pair || (choice < 2 && this.#pairs.length < MOST_SESSIONS)) this.#open();
    else if (choice < 5 && this.#pairs.length < MOST_SESSIONS) await this.#fork(pair);
    else if (choice < 8) await this.#truncate(pair);
    else if (choice < 10) await this.#dispose(pair);
    else if (choice < 12) await this.#feedAll();
    else await this.#feed(pair, this.#drawFeed(random.below(2) === 0));
    this.#check();
  }

  async end(): Promise<void> {
    while (this.#pairs.length > 0) await this.#dispose(this.#pairs[0]!);
    this.#check();
    assert.is(this.#pool.allocated.size, 0);
  }

  #open(): void {
    const real = new Session(this.#owner, this.#options.contextLength);
    this.#add(real, this.#model.open());
  }

  async #fork({ real, model }: Pair): Promise<void> {
    this.#add(await real.fork(), this.#model.open(model));
  }

  #add(real: Session, model: ModelSession): void {
    this.#pairs.push({ real, model, table: this.#pool.tables.at(-1)! });
  }

  async #truncate({ real, model }: Pair): Promise<void> {
    const { random } = this.#options;
    const any = random.below(real.length + 1);
    const length = random.below(3) === 0 ? any - (any % PAGE_SIZE) : any;
    await real.truncate(length);
    model.truncate(length);
  }

  async #dispose(pair: Pair): Promise<void> {
    await pair.real.dispose();
    this.#pairs.splice(this.#pairs.indexOf(pair), 1);
    this.#model.close(pair.model);
  }

  /** Feeds all sessions at once, if the pool has room for whatever they do. */
  async #feedAll(): Promise<void> {
    const free = this.#options.maxPages - this.#model.holders().size;
    if (free < this.#pairs.length * Math.ceil(this.#options.contextLength / PAGE_SIZE)) return;
    this.#count('all at once');
    await Promise.all(this.#pairs.map((pair) => this.#feed(pair, this.#drawFeed(false))));
  }

  #drawFeed(mayFail: boolean): Feed {
    const { random, vocabSize } = this.#options;
    const kind = FEED_KINDS[random.below(FEED_KINDS.length)]!;
    const count = kind === 'decode' ? 1 : 1 + random.below([3, 40, 90][random.below(3)]!);
    const tokens = Array.from({ length: count }, () => random.below(vocabSize));
    const fault = mayFail ? random.below(3) : -1;
    return {
      kind,
      tokens,
      abortAfter: fault === 0 ? random.below(4) : NEVER,
      failIn: fault === 1 ? random.below(4) : NEVER,
      poisoned: fault === 2,
    };
  }

  async #feed({ real, model }: Pair, feed: Feed): Promise<void> {
    const name = `${feed.kind} of ${feed.tokens.length} after ${real.length}`;
    const expected = this.#model.feed(model, feed);
    this.#faults.set(feed.failIn, feed.poisoned);
    const came = await this.#run(real, feed).then(
      (result) => ({ outcome: 'done', result }),
      (error) => ({ outcome: error.code ?? error.message, result: null }),
    );
    this.#faults.set(NEVER, false);
    this.#count(expected);
    assert.is(came.outcome, ENDS[expected], `${name}: ${expected}`);
    if (came.result !== null) await this.#checkResult(name, feed, model.tokens, came.result);
  }

  async #run(session: Session, { kind, tokens, abortAfter }: Feed): Promise<ArrayLike<number>> {
    const controller = new AbortController();
    let left = abortAfter;
    const onProgress = () => {
      if (--left === 0) controller.abort(ABORT);
    };
    if (left === 0) controller.abort(ABORT);
    const options = { signal: controller.signal, onProgress };
    if (kind === 'prefill') return session.prefill(tokens, options);
    if (kind === 'decode') return session.decode(tokens[0]!, options);
    if (kind === 'logProbs') return session.logProbs(tokens, options);
    return [await session.sample(tokens, new Sampler({ temperature: 0 }), options)];
  }

  async #checkResult(
    name: string,
    { kind, tokens }: Feed,
    all: readonly number[],
    result: ArrayLike<number>,
  ): Promise<void> {
    const { fresh } = this.#options;
    if (kind === 'logProbs') {
      assert.is(result.length, tokens.length, name);
      if (all.length === 1) return;
      const logits = Float32Array.from(await fresh(all.slice(0, -1)));
      assert.is(result[tokens.length - 1], logProbability(logits, all.at(-1)!), name);
      return;
    }
    const logits = await fresh(all);
    const expected = kind === 'sample' ? [largestAt(logits)] : Array.from(logits);
    assert.equal(Array.from(result), expected, name);
  }

  #check(): void {
    const { pages } = this.#owner;
    const holders = this.#model.holders();
    assert.is(pages.inUse, holders.size, 'pages in use');
    assert.is(this.#pool.allocated.size, holders.size, 'pages allocated');
    const ids = new Map<object, number>();
    for (const { real, model, table } of this.#pairs) {
      assert.equal(real.tokens, model.tokens);
      for (const [i, page] of model.pages.entries()) {
        const id = table[i]!;
        assert.is(ids.get(page) ?? id, id, `page ${i}: the sessions share another`);
        ids.set(page, id);
        assert.ok(this.#pool.allocated.has(id), `page ${i} is not allocated`);
        assert.is(pages.isShared(id), holders.get(page)! > 1, `page ${i} is shared`);
      }
    }
    assert.is(new Set(ids.values()).size, ids.size, 'sessions share a page that they should not');
  }

  #count(outcome: string): void {
    this.seen.set(outcome, (this.seen.get(outcome) ?? 0) + 1);
  }
}

function rowLimits({ rowsPerStep, logitRowsPerStep }: Executor) {
  return { rowsPerStep, logitRowsPerStep };
}

function largestAt(values: ArrayLike<number>): number {
  return Array.from(values).reduce((best, value, i) => (value > values[best]! ? i : best), 0);
}
