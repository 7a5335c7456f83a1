// All kernels of one build, ready to run. `--compare` imports this file from both builds, so a change of what
// it exports parts the revisions that can be compared.

import { readFile } from 'node:fs/promises';
import { OP_N, OP_WEIGHT, PACKED_BYTES, PAGE_POSITIONS } from '../assembly/op_layout.js';
import type { Simd } from '../bindings/executor/executor.js';
import { type Core, instantiateCore } from '../bindings/executor/wasm/core.js';
import { packOutliers } from '../bindings/executor/wasm/pack_outliers.js';
import { WorkerPool } from '../bindings/executor/wasm/threads.js';
import { type KernelCase, kernelCases, type Regions } from './cases.js';
import { FREE, MAX_REPEATS, OneOp, PLAN } from './one_op.js';
import { ThreadReads } from './thread_reads.js';

const MIB = 1 << 20;
/** Larger than any cache: consecutive calls read different copies of the weights. */
const WEIGHT_REGION = 256 * MIB;
const BUFFER = 16 * MIB;
/** As float32, float16, bfloat16, int8 or nibbles: an ordinary positive number. */
const FILL = 0x3c;

export interface Runnable {
  run(): void;
  /** How often a run executes the kernel. */
  readonly repeats: number;
}

export interface KernelSet {
  readonly cases: readonly KernelCase[];
  /** Makes a case the current one. */
  prepare(kernelCase: KernelCase): Runnable;
  /** Reads `readBytes` bytes of the weights in order, on all threads. */
  read(): void;
  readonly readBytes: number;
  end(): Promise<void>;
}

/** Instantiates the core with a memory of its own, and workers for threads beyond the first. */
export async function createKernelSet(simd: Simd, threads: number): Promise<KernelSet> {
  const pages = (WEIGHT_REGION + 9 * BUFFER) / 65536;
  const shared = threads > 1;
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  const name = `${simd === 'relaxed' ? 'core.relaxed' : 'core.simd'}${shared ? '.shared' : ''}`;
  const module = await WebAssembly.compile(
    await readFile(new URL(`../${name}.wasm`, import.meta.url)),
  );
  // A promise in older revisions, into which this file is copied.
  const core = await instantiateCore(module, memory);
  const at = prepareMemory(memory);
  const readBytes = WEIGHT_REGION / 4;
  const op = new OneOp(core, memory, threads);
  const workers = shared ? new WorkerPool(threads - 1, core, module, memory, PLAN, null) : null;
  const reads = await ThreadReads.start(core, module, memory, at.weights, readBytes, threads);
  return {
    cases: kernelCases(at),
    prepare: (kernelCase) => prepare(kernelCase, core, op, at),
    read: () => reads.run(),
    readBytes,
    async end() {
      await Promise.all([reads.end(), workers?.dispose()]);
    },
  };
}

/** Fills the memory with plausible numbers, and a page table with pages of the weight region. */
function prepareMemory(memory: WebAssembly.Memory): Regions {
  let next = Math.ceil(FREE / 64) * 64;
  const take = () => {
    const address = next;
    next += BUFFER;
    return address;
  };
  const regions = {
    out: take(),
    x: take(),
    y: take(),
    scales: take(),
    sums: take(),
    frequencies: take(),
    pages: take(),
    weights: take(),
  };
  new Uint8Array(memory.buffer).fill(FILL, regions.out);
  const pages = new Uint32Array(memory.buffer, regions.pages, 1024);
  const pageBytes = (WEIGHT_REGION / 256) & ~63;
  for (let i = 0; i < 8192 / PAGE_POSITIONS; i++) pages[i] = regions.weights + i * pageBytes;
  return regions;
}

function prepare(kernelCase: KernelCase, core: Core, op: OneOp, at: Regions): Runnable {
  if (kernelCase.kernel === 'softmax') {
    const vocab = kernelCase.bytes / 8;
    return { run: () => core.softmax(at.out, vocab, 1), repeats: 1 };
  }
  // As in a step of a model, workers are woken once for many ops.
  const repeats = kernelCase.positions.length === 1 ? MAX_REPEATS : 1;
  op.prepare(kernelCase.fields, kernelCase.positions, at.pages, repeats);
  const { header, outliers, weightBytes } = kernelCase;
  const step = Math.ceil((weightBytes && PACKED_BYTES + weightBytes) / 4096) * 4096;
  const copies = step === 0 ? 1 : Math.max(1, Math.floor(WEIGHT_REGION / step));
  for (let i = 0; header && i < copies; i++) {
    const packed = at.weights + i * step;
    op.header(packed, header);
    if (outliers) packOutliers(op, packed, kernelCase.fields[OP_N]!, outliers);
  }
  if (step === 0) return { run: () => op.run(), repeats };
  let copy = 0;
  const run = () => {
    for (let i = 0; i < repeats; i++) op.field(i, OP_WEIGHT, at.weights + (copy++ % copies) * step);
    op.run();
  };
  return { run, repeats };
}
