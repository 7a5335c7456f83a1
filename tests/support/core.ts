// Calls single kernels of the built cores: inputs and outputs lie in a memory of the test's own, every
// block has guard bytes behind it, and outputs are 0xff before the call (NaN as any float).

import * as assert from 'uvu/assert';
import { loadCore } from '#platform';
import { relaxedSimdRefusal } from '../../bindings/executor/features.js';
import { assertSameBytes } from './compare.js';

type Kernel = (...values: number[]) => number | undefined;

/** A piece of the memory. */
export interface Block {
  readonly address: number;
  readonly bytes: number;
}

const PAGE_BYTES = 65536;
const MEMORY_PAGES = 512;
/** Above whatever the core keeps for itself. */
const FIRST_ADDRESS = PAGE_BYTES;
const GUARD_BYTES = 64;
const GUARD = 0xa5;
const ALIGNMENT = 16;

export class Core {
  readonly name: string;
  readonly #memory: WebAssembly.Memory;
  readonly #exports: WebAssembly.Exports;
  #blocks: Block[] = [];
  #next = FIRST_ADDRESS;

  private constructor(name: string, memory: WebAssembly.Memory, exports: WebAssembly.Exports) {
    this.name = name;
    this.#memory = memory;
    this.#exports = exports;
  }

  static async load(name: string): Promise<Core> {
    const memory = new WebAssembly.Memory({ initial: MEMORY_PAGES });
    const module = await loadCore(name);
    const instance = await WebAssembly.instantiate(module, { env: { memory } });
    return new Core(name, memory, instance.exports);
  }

  /** Forgets all blocks. */
  reset(): void {
    this.#blocks = [];
    this.#next = FIRST_ADDRESS;
  }

  /** A block with these bytes. */
  input(values: ArrayBufferView): Block {
    const block = this.output(values.byteLength);
    const { buffer, byteOffset, byteLength } = values;
    this.#view(block).set(new Uint8Array(buffer, byteOffset, byteLength));
    return block;
  }

  /** A block of 0xff. */
  output(bytes: number): Block {
    const block = { address: this.#next, bytes };
    const end = block.address + bytes + GUARD_BYTES;
    assert.ok(end <= MEMORY_PAGES * PAGE_BYTES, `${end} bytes do not fit the test's memory`);
    this.#view(block).fill(0xff);
    this.#guard(block).fill(GUARD);
    this.#blocks.push(block);
    this.#next = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    return block;
  }

  call(kernel: string, ...values: number[]): number | undefined {
    const found = this.#exports[kernel];
    if (typeof found !== 'function') assert.unreachable(`${this.name} exports no ${kernel}`);
    return (found as Kernel)(...values);
  }

  /** A copy of the block's bytes. */
  bytes(block: Block): Uint8Array {
    return this.#view(block).slice();
  }

  checkGuards(name: string): void {
    for (const [i, block] of this.#blocks.entries()) {
      const whole = this.#guard(block).every((byte) => byte === GUARD);
      assert.ok(whole, `${name}: wrote behind block ${i} of ${block.bytes} bytes`);
    }
  }

  #view(block: Block): Uint8Array {
    return new Uint8Array(this.#memory.buffer, block.address, block.bytes);
  }

  #guard(block: Block): Uint8Array {
    return new Uint8Array(this.#memory.buffer, block.address + block.bytes, GUARD_BYTES);
  }
}

/** Debug (assertions on) and simd everywhere; relaxed where this runtime has the instructions. */
export const CORES: readonly Core[] = await loadCores();

async function loadCores(): Promise<Core[]> {
  const cores = [await Core.load('core.debug'), await Core.load('core.simd')];
  if (relaxedSimdRefusal() === null) cores.push(await Core.load('core.relaxed'));
  return cores;
}

export interface KernelRun {
  /** What the kernel writes. */
  readonly outputs: readonly Block[];
  /** Computes [begin, end) of the rows or panels. */
  readonly call: (begin: number, end: number) => void;
}

/**
 * Runs a kernel over [0, length) in one, two and three pieces, on every core: all must give the same bytes
 * and leave the guards alone. Returns the bytes of each output.
 */
export function runKernel(
  name: string,
  length: number,
  prepare: (core: Core) => KernelRun,
): Uint8Array[] {
  let first: Uint8Array[] | null = null;
  for (const core of CORES) {
    for (const pieces of [1, 2, 3]) {
      const label = `${name} (${core.name}, ${pieces} pieces)`;
      core.reset();
      const { outputs, call } = prepare(core);
      for (let i = 0; i < pieces; i++) {
        call(Math.floor((i * length) / pieces), Math.floor(((i + 1) * length) / pieces));
      }
      core.checkGuards(label);
      const bytes = outputs.map((block) => core.bytes(block));
      if (first === null) first = bytes;
      else for (const [i, one] of bytes.entries()) assertSameBytes(one, first[i]!, label);
    }
  }
  return first!;
}

/** Bytes as float32. */
export function asF32(bytes: Uint8Array): Float32Array {
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}

/** Bytes as int32. */
export function asI32(bytes: Uint8Array): Int32Array {
  return new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
}
