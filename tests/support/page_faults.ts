// An executor that fails when it is told to, and a record of what happens to its pages.

import type { Executor, KvPool, PageTable, Row } from '../../bindings/executor/executor.js';

export const BROKEN = new Error('broken');

/** Passes everything on to another executor, but for the faults that were set. */
export class Faults {
  readonly executor: Executor;
  #stepsLeft = Number.POSITIVE_INFINITY;
  #poisoned = false;

  constructor(executor: Executor) {
    const { runtime, memory, kv, rowsPerStep, logitRowsPerStep } = executor;
    const run = (rows: readonly Row[]) => {
      if (this.#stepsLeft-- === 0) throw BROKEN;
      return executor.run(rows);
    };
    const logits = async (index: number) => {
      const row = await executor.logits(index);
      if (this.#poisoned) row[0] = Number.NaN;
      return row;
    };
    this.executor = {
      runtime,
      memory,
      kv,
      rowsPerStep,
      logitRowsPerStep,
      run,
      logits,
      softmax: (index, temperature) => executor.softmax(index, temperature),
      dispose: () => executor.dispose(),
    };
  }

  /** @param stepsLeft steps until one fails, before it runs */
  set(stepsLeft: number, poisoned: boolean): void {
    this.#stepsLeft = stepsLeft;
    this.#poisoned = poisoned;
  }
}

/** Follows a pool from here on: pages allocated, and the entries of each page table in the order they were made. */
export function recordPages(kv: KvPool) {
  const allocated = new Set<number>();
  const tables: number[][] = [];
  const allocatePage = kv.allocatePage.bind(kv);
  const releasePage = kv.releasePage.bind(kv);
  const createTable = kv.createTable.bind(kv);
  const allocate = () => {
    const page = allocatePage();
    if (allocated.has(page)) throw new Error(`page ${page} was handed out twice`);
    allocated.add(page);
    return page;
  };
  const release = (page: number) => {
    if (!allocated.delete(page)) throw new Error(`page ${page} was not allocated`);
    releasePage(page);
  };
  const create = (maxPages: number): PageTable => {
    const table = createTable(maxPages);
    const entries: number[] = [];
    const set = table.set.bind(table);
    tables.push(entries);
    return Object.assign(table, {
      set: (index: number, page: number) => {
        entries[index] = page;
        set(index, page);
      },
    });
  };
  Object.assign(kv, { allocatePage: allocate, releasePage: release, createTable: create });
  return { allocated, tables };
}
