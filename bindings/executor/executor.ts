// What runs a plan. An executor owns the packed weights, the arena and the KV pages of one model; sessions
// hold page tables, samplers read logits in place. wasm/, webgpu/ and reference.ts implement this.

export type MaybePromise<T> = T | Promise<T>;

export type Device = 'wasm' | 'webgpu' | 'reference';
export type KvType = 'f32' | 'f16' | 'int8';
export type Simd = 'baseline' | 'relaxed';

/** Positions in one KV page; also the tile of the softmax. */
export const PAGE_SIZE = 32;

/** Where a session's positions live: entry i is the page of positions [32 i, 32 i + 32). */
export interface PageTable {
  /** Points entry `index` at `page`. */
  set(index: number, page: number): void;
  dispose(): void;
}

/** Pages of KV cache: each holds K and V of PAGE_SIZE positions, all layers. */
export interface KvPool {
  readonly type: KvType;
  readonly pageBytes: number;
  /** @throws CapacityError, with both byte counts, when `kvCacheBytes` is used up. */
  allocatePage(): number;
  releasePage(page: number): void;
  /** Copies the first `positions` positions, all layers. */
  copyPage(from: number, to: number, positions: number): void;
  /** @param maxPages entries the table can hold */
  createTable(maxPages: number): PageTable;
}

/** One row of a step. */
export interface Row {
  readonly token: number;
  readonly position: number;
  readonly pages: PageTable;
  readonly wantLogits: boolean;
}

/** Bytes an executor needs, known before it loads anything. */
export interface MemoryNeed {
  /** Packed weights. */
  readonly weights: number;
  /** Everything fixed besides: plan, activations, step rows, staging. */
  readonly arena: number;
  /** KV pages and page table of one session of the full context length. */
  readonly kvCache: number;
}

export interface RuntimeInfo {
  readonly device: Device;
  readonly threads: number;
  readonly simd: Simd;
  /** Why a better choice was not taken, one sentence each. */
  readonly refusals: readonly string[];
}

export interface Executor {
  /** May change when a step is run: threads that were not asked for by number may not start. */
  readonly runtime: RuntimeInfo;
  readonly memory: MemoryNeed;
  readonly kv: KvPool;
  /** Most rows of one step, and most of them that may want logits. */
  readonly rowsPerStep: number;
  readonly logitRowsPerStep: number;
  /**
   * Runs the plan over these rows: K and V are written, logits computed where wanted.
   * @throws WorkerError if a thread died
   */
  run(rows: readonly Row[]): MaybePromise<void>;
  /**
   * Logits [vocabSize] of the i-th row that wanted them in the latest step: a view, to be read or changed
   * in place before the next `run`. The places of all `logitRowsPerStep` rows are there whatever a step wanted.
   */
  logits(index: number): MaybePromise<Float32Array>;
  /** Turns those logits, in place, into probabilities: softmax(logits / temperature). */
  softmax(index: number, temperature: number): MaybePromise<Float32Array>;
  /** Frees memory and workers. Calling it twice is allowed. */
  dispose(): Promise<void>;
}
