// An executor without a model: its logits depend on every token that a row can see through its page table,
// so that a wrong page, a missed copy or a lost token shows. It counts pages and refuses to be torn apart.

import { CapacityError } from '../../bindings/errors.js';
import {
  type Executor,
  type KvPool,
  PAGE_SIZE,
  type PageTable,
  type Row,
} from '../../bindings/executor/executor.js';
import { nextTask } from '../../bindings/platform/next_task.js';
import { KvPages } from '../../bindings/session/kv_pages.js';
import type { SessionOwner } from '../../bindings/session/owner.js';
import { TurnQueue } from '../../bindings/session/turn_queue.js';
import { TestRandom } from './random.js';

const EMPTY = -1;

class FakeTable implements PageTable {
  readonly pages: number[] = [];

  set(index: number, page: number): void {
    this.pages[index] = page;
  }

  dispose(): void {
    this.pages.length = 0;
  }
}

export class FakePool implements KvPool {
  readonly type = 'f32';
  readonly pageBytes = PAGE_SIZE;
  /** Tokens by page; freed pages are gone, new ones hold nothing. */
  readonly pages = new Map<number, number[]>();
  /** Tables that were made and not disposed are in here, with those that were. */
  readonly tables: FakeTable[] = [];
  maxPages: number;
  copies = 0;
  #next = 100;

  constructor(maxPages: number) {
    this.maxPages = maxPages;
  }

  allocatePage(): number {
    if (this.pages.size >= this.maxPages) {
      throw new CapacityError(`[fake] ${this.pages.size + 1} pages, limit ${this.maxPages}`);
    }
    const page = this.#next++;
    this.pages.set(page, new Array(PAGE_SIZE).fill(EMPTY));
    return page;
  }

  releasePage(page: number): void {
    if (!this.pages.delete(page)) throw new Error(`page ${page} released twice`);
  }

  copyPage(from: number, to: number, positions: number): void {
    this.copies++;
    const source = this.page(from).slice(0, positions);
    if (source.length === 0 || source.includes(EMPTY))
      throw new Error('copied what was never written');
    this.page(to).splice(0, positions, ...source);
  }

  createTable(): FakeTable {
    const table = new FakeTable();
    this.tables.push(table);
    return table;
  }

  page(page: number): number[] {
    const found = this.pages.get(page);
    if (!found) throw new Error(`page ${page} is not allocated`);
    return found;
  }
}

export interface FakeOptions {
  readonly vocabSize?: number;
  readonly rowsPerStep?: number;
  readonly maxPages?: number;
  /** Logits after these tokens; default: hashed from them. */
  readonly logitsAfter?: (history: readonly number[]) => ArrayLike<number>;
}

export class FakeExecutor implements Executor {
  readonly runtime = { device: 'wasm', threads: 1, simd: 'baseline', refusals: [] } as const;
  readonly memory = { weights: 0, arena: 0, kvCache: 0 };
  readonly kv: FakePool;
  readonly rowsPerStep: number;
  readonly logitRowsPerStep = 3;
  readonly vocabSize: number;
  /** Called before each step, which waits for it. */
  onRun: (rows: readonly Row[]) => unknown = () => {};
  steps = 0;
  disposed = 0;
  /** As in a core's memory, each step overwrites what the one before it has left. */
  readonly #logits: readonly Float32Array[];
  #running = false;
  readonly #logitsAfter: (history: readonly number[]) => ArrayLike<number>;

  constructor(options: FakeOptions = {}) {
    this.vocabSize = options.vocabSize ?? 50;
    this.rowsPerStep = options.rowsPerStep ?? 7;
    this.kv = new FakePool(options.maxPages ?? 1000);
    this.#logits = Array.from(
      { length: this.logitRowsPerStep },
      () => new Float32Array(this.vocabSize),
    );
    this.#logitsAfter = options.logitsAfter ?? ((history) => hashedLogits(history, this.vocabSize));
  }

  /** Asynchronous, so that two steps at once would be seen. */
  async run(rows: readonly Row[]): Promise<void> {
    if (this.#running) throw new Error('two steps at once');
    if (rows.length > this.rowsPerStep) throw new Error(`${rows.length} rows in a step`);
    this.#running = true;
    try {
      await nextTask();
      this.steps++;
      await this.onRun(rows);
    } finally {
      this.#running = false;
    }
    for (const { token, position, pages } of rows) {
      this.#pageOf(pages, position)[position % PAGE_SIZE] = token;
    }
    const wanted = rows.filter(({ wantLogits }) => wantLogits);
    if (wanted.length > this.logitRowsPerStep) throw new Error('too many logit rows');
    for (const logits of this.#logits) logits.fill(Number.NaN);
    for (const [i, { position, pages }] of wanted.entries()) {
      this.#logits[i]!.set(this.#logitsAt(pages, position));
    }
  }

  async logits(index: number): Promise<Float32Array> {
    return this.#logits[index]!;
  }

  async softmax(index: number, temperature: number): Promise<Float32Array> {
    const logits = this.#logits[index]!;
    const largest = Math.max(...logits);
    const powers = Array.from(logits, (logit) => Math.exp((logit - largest) / temperature));
    const sum = powers.reduce((a, b) => a + b, 0);
    logits.set(powers.map((power) => power / sum));
    return logits;
  }

  async dispose(): Promise<void> {
    this.disposed++;
  }

  #logitsAt(table: PageTable, position: number): ArrayLike<number> {
    const history: number[] = [];
    for (let i = 0; i <= position; i++) history.push(this.#pageOf(table, i)[i % PAGE_SIZE]!);
    if (history.includes(EMPTY))
      throw new Error(`position ${history.indexOf(EMPTY)} was never written`);
    return this.#logitsAfter(history);
  }

  #pageOf(table: PageTable, position: number): number[] {
    return this.kv.page((table as FakeTable).pages[Math.floor(position / PAGE_SIZE)]!);
  }
}

/** Logits in [-4, 4), seeded by a hash of all tokens and their order. */
export function hashedLogits(history: readonly number[], vocabSize: number): Float32Array {
  let hash = 17;
  for (const token of history) hash = (Math.imul(hash, 31) + token + 1) >>> 0;
  const random = new TestRandom(hash);
  return Float32Array.from({ length: vocabSize }, () => random.between(-4, 4));
}

export function fakeOwner(executor: FakeExecutor): SessionOwner {
  return ownerOf(executor, executor.vocabSize);
}

/** What sessions need of a model, around an executor. */
export function ownerOf(executor: Executor, vocabSize: number): SessionOwner {
  return {
    executor,
    pages: new KvPages(executor.kv),
    turns: new TurnQueue(),
    vocabSize,
    sessions: new Set(),
    known: new WeakSet(),
  };
}
