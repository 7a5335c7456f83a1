// Races for the chunks of spans: real threads, thousands of spans of a few units, threads that come late, sequence
// numbers that wrap around. Each unit must be done exactly once, and after all of the span before it.

import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { loadCore } from '#platform';
import * as layout from '../../assembly/op_layout.js';
import { type Core, instantiateCore } from '../../bindings/executor/wasm/core.js';
import { WorkerPool } from '../../bindings/executor/wasm/threads.js';
import { TestRandom } from '../support/random.js';

const test = suite('barrier');
const PLAN = 4096;
/** Four ops each, which are four spans. */
const ROUNDS = 16;
const SPANS = 4 * ROUNDS;
const STEPS = 1500;
const MOST_ROWS = 12;
/** Of 50 ms each, in one step: no machine is as busy as that. */
const MOST_NAPS = 200;
/** Floats of a row. */
const K = 4;
const ORDER = 16384;
const ONES = 20480;
const [A, B] = [24576, 28672];
/** Of the first step's first span: the numbers wrap in the tenth step. */
const BASE = 0x1_0000_0000 - 10 * SPANS + 3;

/**
 * One plan, over and over: `a += 1; b[i] = a[order[i]]; b += 1; a[i] = b[order[i]]`. A unit that is lost, done twice
 * or done before its span has begun leaves another number.
 */
class Race {
  readonly core: Core;
  readonly #words: Uint32Array;
  readonly #floats: Float32Array;
  readonly #expected = new Float32Array(MOST_ROWS);
  readonly #random = new TestRandom(7);

  constructor(core: Core, memory: WebAssembly.Memory, threads: number) {
    this.core = core;
    this.#words = new Uint32Array(memory.buffer);
    this.#floats = new Float32Array(memory.buffer);
    this.#floats.fill(1, ONES / 4, ONES / 4 + MOST_ROWS * K);
    const header = [
      [layout.PLAN_CLAIM + 4, BASE],
      [layout.PLAN_STEP, 0xffff_fff0],
      [layout.PLAN_OP_COUNT, SPANS],
      [layout.PLAN_LOGIT_ROWS, ORDER],
      [layout.PLAN_THREADS, threads],
    ] as const;
    for (const [offset, value] of header) this.#set(PLAN + offset, value);
    for (let i = 0; i < SPANS; i += 4) {
      this.#op(i, layout.CODE_ADD, A, ONES);
      this.#op(i + 1, layout.CODE_SELECT_ROWS, B, A);
      this.#op(i + 2, layout.CODE_ADD, B, ONES);
      this.#op(i + 3, layout.CODE_SELECT_ROWS, A, B);
    }
  }

  async step(): Promise<void> {
    const rows = 1 + this.#random.below(MOST_ROWS);
    this.#set(PLAN + layout.PLAN_ROW_COUNT, rows);
    const order = Array.from({ length: rows }, (_, i) => (i * 5 + 1) % rows);
    for (const [i, from] of order.entries()) this.#set(ORDER + 4 * i, from);
    this.#count(order);
    let naps = 0;
    while (!this.core.run_plan(PLAN, naps > 0)) assert.ok(++naps < MOST_NAPS, 'a unit was lost');
    for (let i = 0; i < MOST_ROWS * K; i++) {
      const came = this.#floats[A / 4 + i];
      const expected = this.#expected[Math.floor(i / K)];
      if (came !== expected) assert.is(came, expected, `row ${Math.floor(i / K)} of ${rows}`);
    }
    // Sometimes the threads sleep when the next step begins, sometimes they are still in this one.
    for (let i = this.#random.below(20_000); i > 0; i--);
  }

  /** What a step must make of the rows. */
  #count(order: readonly number[]): void {
    const a = this.#expected;
    for (let round = 0; round < 2 * ROUNDS; round++) {
      const before = a.slice();
      for (const [i, from] of order.entries()) a[i] = before[from]! + 1;
    }
  }

  #op(index: number, code: number, out: number, x: number): void {
    const at = PLAN + layout.PLAN_BYTES + index * layout.OP_BYTES;
    const fields = [
      [layout.OP_CODE, code],
      [layout.OP_OUT, out],
      [layout.OP_X, x],
      [layout.OP_K, K],
    ] as const;
    for (const [offset, value] of fields) this.#set(at + offset, value);
  }

  #set(address: number, value: number): void {
    this.#words[address / 4] = value;
  }
}

for (const build of ['core.debug.shared', 'core.simd.shared']) {
  for (const late of [false, true]) {
    for (const threads of [2, 3, 4]) {
      const name = `${build}, ${threads} threads${late ? ' that come late' : ''}`;
      test(`each unit once: ${name}`, async () => {
        const module = await loadCore(build);
        const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
        const core = instantiateCore(module, memory);
        const race = new Race(core, memory, threads);
        const script = new URL('../support/late_worker.js', import.meta.url);
        const starter = late ? script : null;
        const pool = new WorkerPool(threads - 1, core, module, memory, PLAN, starter);
        try {
          for (let i = 0; i < STEPS; i++) {
            await race.step();
            // A turn of the event loop, which the threads need to start.
            if (i % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
            pool.check();
          }
        } finally {
          await pool.dispose();
        }
      });
    }
  }
}

test.run();
