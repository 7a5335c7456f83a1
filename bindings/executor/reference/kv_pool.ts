// KV pages as plain objects of float64: never rounded, whatever type was asked for.

import { CapacityError, OptionError } from '../../errors.js';
import type { Plan } from '../../plan/ops.js';
import { type KvPool, type KvType, PAGE_SIZE, type PageTable } from '../executor.js';

const F64_BYTES = 8;

/** K and V of PAGE_SIZE positions, per layer [PAGE_SIZE, numKvHeads, headDim]. */
interface Page {
  readonly k: readonly Float64Array[];
  readonly v: readonly Float64Array[];
}

export class ReferencePageTable implements PageTable {
  readonly pages: number[] = [];

  set(index: number, page: number): void {
    this.pages[index] = page;
  }

  dispose(): void {
    this.pages.length = 0;
  }
}

export class ReferenceKvPool implements KvPool {
  readonly type: KvType;
  readonly pageBytes: number;
  readonly #pages = new Map<number, Page>();
  readonly #width: number;
  readonly #numLayers: number;
  readonly #maxPages: number;
  #nextPage = 0;

  /** @param kvCacheBytes most bytes of all pages; undefined: two full contexts */
  constructor(plan: Plan, type: KvType, kvCacheBytes?: number) {
    this.type = type;
    this.#width = plan.numKvHeads * plan.headDim;
    this.#numLayers = plan.numLayers;
    this.pageBytes = 2 * plan.numLayers * PAGE_SIZE * this.#width * F64_BYTES;
    const contextPages = Math.ceil(plan.contextLength / PAGE_SIZE);
    const bytes = kvCacheBytes ?? 2 * contextPages * this.pageBytes;
    this.#maxPages = Math.floor(bytes / this.pageBytes);
  }

  allocatePage(): number {
    if (this.#pages.size >= this.#maxPages) {
      const used = (this.#pages.size + 1) * this.pageBytes;
      const limit = this.#maxPages * this.pageBytes;
      throw new CapacityError(`[reference] KV cache needs ${used} bytes, limit is ${limit}`);
    }
    const page = this.#nextPage++;
    this.#pages.set(page, { k: this.#newLayers(), v: this.#newLayers() });
    return page;
  }

  releasePage(page: number): void {
    this.#pages.delete(page);
  }

  copyPage(from: number, to: number, positions: number): void {
    const source = this.#page(from);
    const target = this.#page(to);
    const count = positions * this.#width;
    for (let layer = 0; layer < this.#numLayers; layer++) {
      target.k[layer]!.set(source.k[layer]!.subarray(0, count));
      target.v[layer]!.set(source.v[layer]!.subarray(0, count));
    }
  }

  createTable(_maxPages: number): ReferencePageTable {
    return new ReferencePageTable();
  }

  /** Writes k and v [numKvHeads, headDim] at one position. */
  write(
    table: ReferencePageTable,
    layer: number,
    position: number,
    k: Float64Array,
    v: Float64Array,
  ): void {
    const page = this.#pageAt(table, position);
    const offset = (position % PAGE_SIZE) * this.#width;
    page.k[layer]!.set(k, offset);
    page.v[layer]!.set(v, offset);
  }

  /** Copies out k and v [end - begin, numKvHeads, headDim] of positions [begin, end). */
  read(table: ReferencePageTable, layer: number, begin: number, end: number) {
    const width = this.#width;
    const k = new Float64Array((end - begin) * width);
    const v = new Float64Array((end - begin) * width);
    for (let position = begin; position < end; position++) {
      const page = this.#pageAt(table, position);
      const offset = (position % PAGE_SIZE) * width;
      k.set(page.k[layer]!.subarray(offset, offset + width), (position - begin) * width);
      v.set(page.v[layer]!.subarray(offset, offset + width), (position - begin) * width);
    }
    return { k, v };
  }

  clear(): void {
    this.#pages.clear();
  }

  #newLayers(): Float64Array[] {
    const values = PAGE_SIZE * this.#width;
    return Array.from({ length: this.#numLayers }, () => new Float64Array(values).fill(Number.NaN));
  }

  #pageAt(table: ReferencePageTable, position: number): Page {
    const page = table.pages[Math.floor(position / PAGE_SIZE)];
    if (page === undefined) {
      throw new OptionError(`[reference] position ${position} lies behind the page table's end`);
    }
    return this.#page(page);
  }

  #page(page: number): Page {
    const found = this.#pages.get(page);
    if (found === undefined) throw new OptionError(`[reference] page ${page} is not allocated`);
    return found;
  }
}
