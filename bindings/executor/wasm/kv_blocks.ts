// KV pages and page tables in the core's memory, behind the weights. Both are blocks of one size each;
// freed blocks are kept for reuse, and the memory grows only when none is free.

import { CapacityError } from '../../errors.js';
import { type KvPool, type KvType, PAGE_SIZE, type PageTable } from '../executor.js';
import type { MemoryViews } from './core.js';
import type { Layout } from './layout.js';

const WASM_PAGE = 65536;

export class KvBlocks implements KvPool {
  readonly type: KvType;
  readonly pageBytes: number;
  readonly #views: MemoryViews;
  readonly #layout: Layout;
  readonly #limit: number;
  readonly #freePages: number[] = [];
  readonly #freeTables: number[] = [];
  #end: number;

  /** @param limit first address beyond kvCacheBytes */
  constructor(views: MemoryViews, layout: Layout, type: KvType, limit: number) {
    this.type = type;
    this.pageBytes = layout.kvPageBytes;
    this.#views = views;
    this.#layout = layout;
    this.#limit = limit;
    this.#end = layout.end;
  }

  /** A page is named by its address. */
  allocatePage(): number {
    return this.#freePages.pop() ?? this.#grow(this.pageBytes, 'page');
  }

  releasePage(page: number): void {
    this.#freePages.push(page);
  }

  copyPage(from: number, to: number, positions: number): void {
    if (positions < 1 || positions > PAGE_SIZE)
      throw new RangeError(`[kv] ${positions} positions of a page`);
    // K keeps positions innermost, so the bytes of some positions are no range: the whole page is copied.
    const bytes = this.#views.bytes(from, this.pageBytes);
    this.#views.bytes(to, this.pageBytes).set(bytes);
  }

  createTable(maxPages: number): WasmPageTable {
    if (maxPages * 4 > this.#layout.tableBytes) {
      throw new CapacityError(
        `[kv] a page table of ${maxPages} pages; the model's context has ${this.#layout.tableBytes / 4}`,
      );
    }
    const address = this.#freeTables.pop() ?? this.#grow(this.#layout.tableBytes, 'page table');
    return new WasmPageTable(this.#views, address, () => this.#freeTables.push(address));
  }

  #grow(bytes: number, what: string): number {
    const address = this.#end;
    const end = address + bytes;
    const used = address - this.#layout.end;
    if (end > this.#limit) {
      throw new CapacityError(
        `[kv] another ${what} of ${bytes} bytes does not fit: ${used} of kvCacheBytes ` +
          `${this.#limit - this.#layout.end} are in use`,
      );
    }
    const { memory } = this.#views;
    const missing = end - memory.buffer.byteLength;
    if (missing > 0) {
      try {
        memory.grow(Math.ceil(missing / WASM_PAGE));
      } catch (cause) {
        throw new CapacityError(`[kv] the system refused ${missing} more bytes of memory`, {
          cause,
        });
      }
    }
    this.#end = end;
    return address;
  }
}

/** A page table in the core's memory: u32 page addresses. */
export class WasmPageTable implements PageTable {
  readonly address: number;
  readonly #views: MemoryViews;
  readonly #release: () => void;
  #disposed = false;

  constructor(views: MemoryViews, address: number, release: () => void) {
    this.#views = views;
    this.address = address;
    this.#release = release;
  }

  set(index: number, page: number): void {
    this.#views.words[this.address / 4 + index] = page;
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#release();
  }
}
