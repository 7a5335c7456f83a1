// Who holds which page of the KV pool. Sessions share pages after a fork; a page that is shared is copied
// when one of its holders is about to write into it (copy on write).

import { type KvPool, PAGE_SIZE, type PageTable } from '../executor/executor.js';

/** Holder counts of all pages of one model. */
export class KvPages {
  readonly pool: KvPool;
  readonly #holders = new Map<number, number>();

  constructor(pool: KvPool) {
    this.pool = pool;
  }

  /** Pages that some session holds. */
  get inUse(): number {
    return this.#holders.size;
  }

  /** @throws CapacityError when the pool is full */
  allocate(): number {
    const page = this.pool.allocatePage();
    this.#holders.set(page, 1);
    return page;
  }

  /** Adds a holder. */
  share(page: number): void {
    this.#holders.set(page, this.#count(page) + 1);
  }

  isShared(page: number): boolean {
    return this.#count(page) > 1;
  }

  /** Drops a holder; the last one returns the page to the pool. */
  release(page: number): void {
    const count = this.#count(page) - 1;
    if (count > 0) {
      this.#holders.set(page, count);
    } else {
      this.#holders.delete(page);
      this.pool.releasePage(page);
    }
  }

  #count(page: number): number {
    const count = this.#holders.get(page);
    if (count === undefined) throw new Error(`[kv] page ${page} has no holder`);
    return count;
  }
}

/** The pages of one session: entry i holds positions [32 i, 32 i + 32). */
export class SessionPages {
  readonly table: PageTable;
  readonly #all: KvPages;
  readonly #maxPages: number;
  readonly #pages: number[] = [];
  #disposed = false;

  /** @param contextLength most positions */
  constructor(all: KvPages, contextLength: number) {
    this.#all = all;
    this.#maxPages = Math.ceil(contextLength / PAGE_SIZE);
    this.table = all.pool.createTable(this.#maxPages);
  }

  /** Pages held, shared ones included. */
  get count(): number {
    return this.#pages.length;
  }

  /**
   * Makes positions [from, to) writable. `from` lies in the last page held or right behind it; the first
   * `held` positions keep their content.
   * @throws CapacityError when the pool is full, with nothing changed
   */
  reserve(from: number, to: number, held: number): void {
    const first = Math.floor(from / PAGE_SIZE);
    const shared = this.#pages[first];
    const copies = shared !== undefined && this.#all.isShared(shared);
    const fresh = this.#allocate(Math.ceil(to / PAGE_SIZE) - this.#pages.length + (copies ? 1 : 0));
    if (copies) {
      const copy = fresh.shift()!;
      this.#all.pool.copyPage(shared, copy, held - first * PAGE_SIZE);
      this.#all.release(shared);
      this.#set(first, copy);
    }
    for (const page of fresh) this.#set(this.#pages.length, page);
  }

  /** Drops every page that lies wholly behind `length` positions. */
  truncate(length: number): void {
    const keep = Math.ceil(length / PAGE_SIZE);
    for (const page of this.#pages.splice(keep)) this.#all.release(page);
  }

  /** The same pages for another session, shared. */
  fork(): SessionPages {
    const other = new SessionPages(this.#all, this.#maxPages * PAGE_SIZE);
    for (const page of this.#pages) {
      this.#all.share(page);
      other.#set(other.#pages.length, page);
    }
    return other;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.truncate(0);
    this.table.dispose();
  }

  #allocate(count: number): number[] {
    const pages: number[] = [];
    try {
      while (pages.length < count) pages.push(this.#all.allocate());
    } catch (error) {
      for (const page of pages) this.#all.release(page);
      throw error;
    }
    return pages;
  }

  #set(index: number, page: number): void {
    this.#pages[index] = page;
    this.table.set(index, page);
  }
}
