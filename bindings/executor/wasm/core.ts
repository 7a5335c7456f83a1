// The instantiated core: its exports, and the memory that JavaScript made for it.

import { instantiateSync } from '@assemblyscript/loader';
import { DisposedError, OptionError } from '../../errors.js';

/** What assembly/index.ts exports. Addresses are bytes in the memory. */
export interface Core {
  /** base^exponent, base > 0, by IEEE operations only. */
  pow64(base: number, exponent: number): number;
  /**
   * Packs a strip of rows into the panels at `to` of a matrix whose header stands at `packed`; returns the first
   * row that is not finite, or -1.
   * @param parts their addresses, as PACKED_ROLES lists them
   */
  pack_tensor(packed: number, to: number, rows: number, k: number, ...parts: number[]): number;
  /** Runs a step, or goes on with the one that it left. 0: left, as another thread holds it up. */
  run_plan(plan: number, goesOn: boolean): number;
  run_worker(plan: number, thread: number): void;
  stop_workers(plan: number): void;
  /** Reads `bytes` bytes in order, a multiple of 128: the roofline of a decode kernel. */
  read_all(at: number, bytes: number): number;
  /** In place: softmax(x / temperature) over n values. */
  softmax(x: number, n: number, temperature: number): void;
}

/** What a core exports, all of them functions. */
const EXPORTS: readonly (keyof Core)[] = [
  'pow64',
  'pack_tensor',
  'run_plan',
  'run_worker',
  'stop_workers',
  'read_all',
  'softmax',
];

/**
 * Not the loader's `instantiate`: that asks for the global Response, and Node loads its fetch for it, 20 ms.
 * @throws OptionError for a module that is no core, or one of another kind of memory
 */
export function instantiateCore(module: WebAssembly.Module, memory: WebAssembly.Memory): Core {
  checkCore(module);
  try {
    return instantiateSync(module, { env: { memory } }).exports as unknown as Core;
  } catch (cause) {
    throw new OptionError(`[load] core.wasm: cannot be started: ${cause}`, { cause });
  }
}

function checkCore(module: WebAssembly.Module): void {
  const imports = WebAssembly.Module.imports(module).map(
    ({ kind, module: from, name }) => `${kind} ${from}.${name}`,
  );
  if (imports.join() !== 'memory env.memory') {
    const came = imports.join(', ') || 'none';
    throw new OptionError(`[load] core.wasm: expected one import, memory env.memory, came ${came}`);
  }
  const functions = WebAssembly.Module.exports(module).filter(({ kind }) => kind === 'function');
  const missing = EXPORTS.filter((name) => !functions.some((one) => one.name === name));
  if (missing.length === 0) return;
  throw new OptionError(`[load] core.wasm: it does not export ${missing.join(', ')}`);
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
