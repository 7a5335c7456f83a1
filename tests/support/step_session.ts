// The least that drives an executor: a page table that grows, one position after another.

import {
  type Executor,
  PAGE_SIZE,
  type PageTable,
  type Row,
} from '../../bindings/executor/executor.js';

export class StepSession {
  readonly #executor: Executor;
  readonly #table: PageTable;
  readonly #pages: number[] = [];
  #length = 0;

  constructor(executor: Executor) {
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
  async prefill(tokens: readonly number[], chunk: number): Promise<Float32Array> {
    for (let begin = 0; begin < tokens.length; begin += chunk) {
      const part = tokens.slice(begin, begin + chunk);
      await this.#executor.run(part.map((t, i) => this.row(t, begin + i === tokens.length - 1)));
    }
    return (await this.#executor.logits(0)).slice();
  }

  /** Runs the tokens in one step, each with logits. */
  async step(tokens: readonly number[]): Promise<void> {
    await this.#executor.run(tokens.map((token) => this.row(token, true)));
  }

  dispose(): void {
    for (const page of this.#pages) this.#executor.kv.releasePage(page);
    this.#table.dispose();
  }
}
