// What sessions do to KV pages, as simply as it can be said: a page is an object that sessions hold; whoever
// writes into one that others hold too gets a copy.

import { PAGE_SIZE } from '../../bindings/executor/executor.js';

/** Its identity is all there is to it. */
type Page = object;

export class ModelSession {
  tokens: number[] = [];
  pages: Page[] = [];

  fork(): ModelSession {
    const other = new ModelSession();
    other.tokens = this.tokens.slice();
    other.pages = this.pages.slice();
    return other;
  }

  /** Keeps the first `length` tokens, and the pages that hold them. */
  truncate(length: number): void {
    this.tokens.length = length;
    this.pages.length = Math.ceil(length / PAGE_SIZE);
  }
}

export const FEED_KINDS = ['prefill', 'decode', 'sample', 'logProbs'] as const;

/** Tokens to feed, and what goes wrong: an abort after some steps, or a fault of the executor in one. */
export interface Feed {
  readonly kind: (typeof FEED_KINDS)[number];
  readonly tokens: number[];
  readonly abortAfter: number;
  readonly failIn: number;
  readonly poisoned: boolean;
}

export type FeedOutcome =
  | 'done'
  | 'context full'
  | 'pool full'
  | 'aborted'
  | 'failed'
  | 'not finite';

export interface PageLimits {
  readonly maxPages: number;
  readonly contextLength: number;
  readonly rowsPerStep: number;
  readonly logitRowsPerStep: number;
}

export class PageModel {
  readonly sessions: ModelSession[] = [];
  readonly #limits: PageLimits;

  constructor(limits: PageLimits) {
    this.#limits = limits;
  }

  /** A new session, or a fork. */
  open(from = new ModelSession()): ModelSession {
    const session = from.fork();
    this.sessions.push(session);
    return session;
  }

  close(session: ModelSession): void {
    this.sessions.splice(this.sessions.indexOf(session), 1);
  }

  /** How many sessions hold each page. */
  holders(): Map<Page, number> {
    const counts = new Map<Page, number>();
    for (const { pages } of this.sessions) {
      for (const page of pages) counts.set(page, (counts.get(page) ?? 0) + 1);
    }
    return counts;
  }

  /** What a feed does to a session, and how it ends. */
  feed(session: ModelSession, feed: Feed): FeedOutcome {
    const { contextLength, rowsPerStep, logitRowsPerStep } = this.#limits;
    const before = session.tokens.length;
    // The last token held is fed again, as its logits predict the first one given.
    const measures = feed.kind === 'logProbs';
    const from = measures ? Math.max(0, before - 1) : before;
    const to = before + feed.tokens.length;
    // An aborted call looks at nothing else.
    if (feed.abortAfter === 0) return 'aborted';
    if (to > contextLength) return 'context full';
    if (!this.#reserve(session, from, to)) return 'pool full';
    const steps = Math.ceil((to - from) / (measures ? logitRowsPerStep : rowsPerStep));
    session.tokens.push(...feed.tokens);
    if (feed.abortAfter >= steps && feed.failIn >= steps && !feed.poisoned) return 'done';
    session.truncate(before);
    if (feed.poisoned) return 'not finite';
    return feed.abortAfter < steps ? 'aborted' : 'failed';
  }

  /** Makes positions [from, to) of a session writable. @returns false, with nothing changed, if too few are free */
  #reserve(session: ModelSession, from: number, to: number): boolean {
    const held = this.holders();
    const first = Math.floor(from / PAGE_SIZE);
    const copies = (held.get(session.pages[first] ?? session) ?? 0) > 1;
    const more = Math.ceil(to / PAGE_SIZE) - session.pages.length;
    if (held.size + more + (copies ? 1 : 0) > this.#limits.maxPages) return false;
    if (copies) session.pages[first] = {};
    for (let i = 0; i < more; i++) session.pages.push({});
    return true;
  }
}
