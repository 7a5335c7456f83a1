// Runs one op of the core by itself, once or several times in a row, over memory laid out by the caller.

import * as layout from '../assembly/op_layout.js';
import { OptionError } from '../bindings/errors.js';
import type { Core } from '../bindings/executor/wasm/core.js';

export type Fields = Readonly<Record<number, number>>;

/** Where a one-op plan keeps its records; everything from FREE on is the caller's. */
export const PLAN = 4096;
/** Most repetitions of the op in its plan. */
export const MAX_REPEATS = 16;
const ROWS = PLAN + 2048;
const LOGIT_ROWS = ROWS + 128 * layout.ROW_BYTES;
const SCRATCH = LOGIT_ROWS + 1024;
/** Per thread: more than any op needs. */
const SCRATCH_BYTES = 1 << 16;
const MAX_THREADS = 16;
export const FREE = SCRATCH + MAX_THREADS * SCRATCH_BYTES;

export class OneOp {
  readonly #core: Core;
  readonly #threads: number;
  /** Of the whole memory. */
  readonly words: Uint32Array;

  constructor(core: Core, memory: WebAssembly.Memory, threads: number) {
    if (threads > MAX_THREADS) {
      throw new OptionError(`[--threads] expected at most ${MAX_THREADS}, came ${threads}`);
    }
    this.#core = core;
    this.#threads = threads;
    this.words = new Uint32Array(memory.buffer);
  }

  /**
   * Sets the op and the rows it runs on.
   * @param fields byte offset (OP_*) to value
   * @param pages address of the page table of all rows
   * @param repeats how often a run executes the op
   */
  prepare(fields: Fields, positions: readonly number[], pages: number, repeats: number): void {
    const words = this.words;
    // What lies before the op count belongs to the threads, from step to step.
    words.fill(0, (PLAN + layout.PLAN_OP_COUNT) / 4, FREE / 4);
    this.#set(PLAN + layout.PLAN_OP_COUNT, repeats);
    this.#set(PLAN + layout.PLAN_ROW_COUNT, positions.length);
    this.#set(PLAN + layout.PLAN_ROWS, ROWS);
    this.#set(PLAN + layout.PLAN_LOGIT_ROWS, LOGIT_ROWS);
    this.#set(PLAN + layout.PLAN_THREADS, this.#threads);
    this.#set(PLAN + layout.PLAN_SCRATCH, SCRATCH);
    this.#set(PLAN + layout.PLAN_SCRATCH_BYTES, SCRATCH_BYTES);
    positions.forEach((position, i) => {
      const row = ROWS + i * layout.ROW_BYTES;
      this.#set(row + layout.ROW_TOKEN, i);
      this.#set(row + layout.ROW_POSITION, position);
      this.#set(row + layout.ROW_PAGES, pages);
    });
    for (let i = 0; i < repeats; i++) {
      for (const [offset, value] of Object.entries(fields)) this.field(i, Number(offset), value);
    }
  }

  /** Changes one field of the i-th repetition of the prepared op. */
  field(i: number, offset: number, value: number): void {
    this.#set(PLAN + layout.PLAN_BYTES + i * layout.OP_BYTES + offset, value);
  }

  /** Writes the header of a packed matrix. */
  header(address: number, header: ReadonlyMap<number, number>): void {
    for (const [offset, value] of header) this.#set(address + offset, value);
  }

  run(): void {
    let goesOn = false;
    while (!this.#core.run_plan(PLAN, goesOn)) goesOn = true;
  }

  #set(address: number, value: number): void {
    this.words[address / 4] = value;
  }
}

/** Bits of x as float32, for OP_FLOAT. */
export function floatBits(x: number): number {
  return new Uint32Array(new Float32Array([x]).buffer)[0] ?? 0;
}
