// The least that drives an executor that runs synchronously: a page table that grows, one position after another.

import {
  type Executor,
  PAGE_SIZE,
  type PageTable,
  type Row,
} from '../../bindings/executor/executor.js';

/** An executor whose steps and logits are there at once. */
type SyncExecutor = Omit<Executor, 'run' | 'logits'> & {
  run(rows: readonly Row[]): void;
  logits(index: number): Float32Array;
};

export class StepSession {
  readonly #executor: SyncExecutor;
  readonly #table: PageTable;
  readonly #pages: number[] = [];
  #length = 0;

  constructor(executor: SyncExecutor) {
    this.#executor = executor;
    this.#table = executor.kv.createTable(8);
  }

  /** The row of the next position. */
  row(token: number, wantLogits: boolean): Row {
    const position = this.#length++;
    if (position % PAGE_SIZE === 0) {
      const page = this.#executor.kv.allocatePage();
      this.#table.set(this.#pages.push(page) - 1, page);
    }
    return { token, position, pages: this.#table, wantLogits };
  }

  /** Runs all tokens, at most `chunk` a step; a copy of the last one's logits. */
  prefill(tokens: readonly number[], chunk: number): Float32Array {
    for (let begin = 0; begin < tokens.length; begin += chunk) {
      const part = tokens.slice(begin, begin + chunk);
      this.#executor.run(part.map((t, i) => this.row(t, begin + i === tokens.length - 1)));
    }
    return this.#executor.logits(0).slice();
  }

  /** Runs the tokens in one step, each with logits. */
  step(tokens: readonly number[]): void {
    this.#executor.run(tokens.map((token) => this.row(token, true)));
  }

  dispose(): void {
    for (const page of this.#pages) this.#executor.kv.releasePage(page);
    this.#table.dispose();
  }
}
