// Micro-benchmarks of every kernel on one thread: time, GB/s or GOP/s, and the ratio to sequential reads of
// DRAM, measured just before each kernel in the same run.
//
//   node build/bench/kernels.js [--json] [--filter TEXT] [--seconds S] [--simd baseline|relaxed]

import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Benchmark from 'benchmark';
import { OP_WEIGHT, PAGE_POSITIONS } from '../assembly/op_layout.js';
import { relaxedSimdRefusal } from '../bindings/executor/features.js';
import { type Core, instantiateCore } from '../bindings/executor/wasm/core.js';
import { type KernelCase, kernelCases, type Regions } from './cases.js';
import { FREE, OneOp } from './one_op.js';

const MIB = 1 << 20;
/** Larger than any cache: consecutive calls read different copies of the weights. */
const WEIGHT_REGION = 256 * MIB;
const BUFFER = 16 * MIB;
/** As float32, float16, bfloat16, int8 or nibbles: an ordinary positive number. */
const FILL = 0x3c;

interface Result {
  readonly kernel: string;
  readonly model: string;
  readonly shape: string;
  readonly microseconds: number;
  readonly gbPerSecond: number;
  readonly gopPerSecond: number | null;
  /** GB/s over the GB/s of sequential reads. */
  readonly ofReadBandwidth: number;
  /** Relative margin of error of the time. */
  readonly spread: number;
}

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    filter: { type: 'string', default: '' },
    seconds: { type: 'string', default: '0.4' },
    simd: { type: 'string' },
  },
});
const maxTime = Number(options.seconds);
const build = join(dirname(fileURLToPath(import.meta.url)), '..');

const refusal = relaxedSimdRefusal();
const simd = options.simd ?? (refusal ? 'baseline' : 'relaxed');
const memory = new WebAssembly.Memory({ initial: (WEIGHT_REGION + 8 * BUFFER) / 65536 });
const core = instantiateCore(
  await compile(simd === 'relaxed' ? 'core.relaxed' : 'core.simd'),
  memory,
);
const at = prepareMemory();
const op = new OneOp(core, memory);

const results: Result[] = [];
const cases = kernelCases(at).filter((c) => `${c.kernel} ${c.model}`.includes(options.filter));
for (const [i, kernelCase] of cases.entries()) {
  process.stderr.write(`[${i + 1}/${cases.length}] ${kernelCase.kernel} ${kernelCase.model}\n`);
  results.push(measure(kernelCase, core));
}
print(results);

async function compile(name: string): Promise<WebAssembly.Module> {
  return WebAssembly.compile(await readFile(join(build, `${name}.wasm`)));
}

/** Fills the memory with plausible numbers, and a page table with pages of the weight region. */
function prepareMemory(): Regions {
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

/** Seconds of a call and their relative error. */
function time(name: string, fn: () => void): { seconds: number; spread: number } {
  const bench = new Benchmark(name, fn, { maxTime, minSamples: 5 });
  bench.run();
  if (bench.error) throw bench.error;
  return { seconds: bench.stats.mean, spread: bench.stats.rme / 100 };
}

function readBandwidth(): number {
  const { seconds } = time('read', () => core.read_all(at.weights, WEIGHT_REGION / 4));
  return WEIGHT_REGION / 4 / seconds;
}

function measure(kernelCase: KernelCase, { softmax }: Core): Result {
  const bandwidth = readBandwidth();
  op.prepare(kernelCase.fields, kernelCase.positions, at.pages);
  const step = Math.ceil(kernelCase.weightBytes / 4096) * 4096;
  const copies = step ? Math.max(1, Math.floor(WEIGHT_REGION / step)) : 1;
  let copy = 0;
  const vocab = kernelCase.bytes / 8;
  const run =
    kernelCase.kernel === 'softmax'
      ? () => softmax(at.out, vocab, 1)
      : () => {
          if (step) op.field(OP_WEIGHT, at.weights + (copy++ % copies) * step);
          op.run();
        };
  const { seconds, spread } = time(kernelCase.kernel, run);
  const { kernel, model, shape, bytes, operations } = kernelCase;
  return {
    kernel,
    model,
    shape,
    microseconds: seconds * 1e6,
    gbPerSecond: bytes / seconds / 1e9,
    gopPerSecond: operations ? operations / seconds / 1e9 : null,
    ofReadBandwidth: bytes / seconds / bandwidth,
    spread,
  };
}

function print(rows: readonly Result[]): void {
  const machine = `${process.version}, ${simd} SIMD, 1 thread, ${cpus()[0]?.model ?? 'unknown CPU'}`;
  if (options.json) {
    console.log(JSON.stringify({ machine, simd, node: process.version, results: rows }, null, 2));
    return;
  }
  console.log(`${machine}\n`);
  console.log('| kernel | model | shape | us | GB/s | GOP/s | of read bandwidth | spread |');
  console.log('| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |');
  for (const r of rows) {
    const cells = [
      r.kernel,
      r.model,
      r.shape,
      r.microseconds.toFixed(1),
      r.gbPerSecond.toFixed(2),
      r.gopPerSecond?.toFixed(1) ?? '',
      r.ofReadBandwidth.toFixed(2),
      `${(100 * r.spread).toFixed(1)} %`,
    ];
    console.log(`| ${cells.join(' | ')} |`);
  }
}
