// The instantiated core: its exports, and the memory that JavaScript made for it.

import { instantiateSync } from '@assemblyscript/loader';
import { DisposedError } from '../../errors.js';

/** What assembly/index.ts exports. Addresses are bytes in the memory. */
export interface Core {
  /** base^exponent, base > 0, by IEEE operations only. */
  pow64(base: number, exponent: number): number;
  /** Packs a strip of rows; returns the first row that is not finite, or -1. */
  pack_tensor(
    format: number,
    dtype: number,
    to: number,
    values: number,
    scales: number,
    biases: number,
    rows: number,
    k: number,
  ): number;
  /** Runs a step. 0: a worker died and left its part undone. */
  run_plan(plan: number): number;
  run_worker(plan: number, thread: number): void;
  stop_workers(plan: number): void;
  /** Reads `bytes` bytes in order, a multiple of 128: the roofline of a decode kernel. */
  read_all(at: number, bytes: number): number;
  /** In place: softmax(x / temperature) over n values. */
  softmax(x: number, n: number, temperature: number): void;
}

/** Not the loader's `instantiate`: that asks for the global Response, and Node loads its fetch for it, 20 ms. */
export function instantiateCore(module: WebAssembly.Module, memory: WebAssembly.Memory): Core {
  const { exports } = instantiateSync(module, { env: { memory } });
  return exports as unknown as Core;
}

/** Views on a memory that may grow: each access sees the current buffer. */
export class MemoryViews {
  #memory: WebAssembly.Memory | null;
  #words: Uint32Array<ArrayBufferLike>;

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory;
    this.#words = new Uint32Array(memory.buffer);
  }

  /** @throws DisposedError after `drop` */
  get memory(): WebAssembly.Memory {
    if (!this.#memory) throw new DisposedError('[memory] the model was disposed');
    return this.#memory;
  }

  /** The whole memory as u32; index = address / 4. */
  get words(): Uint32Array<ArrayBufferLike> {
    const { buffer } = this.memory;
    if (this.#words.buffer !== buffer) this.#words = new Uint32Array(buffer);
    return this.#words;
  }

  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.memory.buffer, address, length);
  }

  floats(address: number, length: number): Float32Array {
    return new Float32Array(this.memory.buffer, address, length);
  }

  doubles(address: number, length: number): Float64Array {
    return new Float64Array(this.memory.buffer, address, length);
  }

  /** Lets go of the memory, so that it is freed although someone still holds the model. */
  drop(): void {
    this.#memory = null;
    this.#words = new Uint32Array(0);
  }
}
