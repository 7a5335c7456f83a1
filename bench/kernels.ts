// Micro-benchmarks of every kernel: time, GB/s or GOP/s, and the ratio to sequential reads of DRAM, measured
// just before each kernel in the same run. With two builds, SIMD levels or thread counts: their ratio.
//
//   node build/bench/kernels.js [--filter TEXT] [--seconds S] [--simd relaxed,baseline] [--threads 1,2]
//     [--compare FOLDER] [--json]

import { cpus } from 'node:os';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import Benchmark from 'benchmark';
import { OptionError } from '../bindings/errors.js';
import type { Simd } from '../bindings/executor/executor.js';
import { relaxedSimdRefusal } from '../bindings/executor/features.js';
import type { KernelCase } from './cases.js';
import { type KernelRatio, kernelRatios } from './kernel_ratios.js';
import { createKernelSet, type KernelSet, type Runnable } from './kernel_set.js';
import { atLeast, oneOrTwo, runMain, whole } from './options.js';
import { spreadText } from './statistics.js';
import { markdownTable } from './table.js';

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

interface Side {
  readonly label: string;
  readonly set: KernelSet;
}

await runMain(async () => {
  const { values: options } = parseArgs({
    options: {
      json: { type: 'boolean', default: false },
      filter: { type: 'string', default: '' },
      seconds: { type: 'string', default: '0.4' },
      simd: { type: 'string', default: relaxedSimdRefusal() ? 'baseline' : 'relaxed' },
      threads: { type: 'string', default: '1' },
      compare: { type: 'string' },
      over: { type: 'string' },
    },
  });
  const seconds = atLeast('seconds', options.seconds, 0.001);
  const wanted = (name: string) => name.includes(options.filter);
  const sides = await createSides(options.simd, options.threads, options.compare, options.over);
  const machine = `${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}`;
  try {
    const [first, second] = sides as [Side, Side | undefined];
    const labels = sides.map(({ label }) => label);
    if (second) {
      const results = kernelRatios([first.set, second.set], wanted, options.over, seconds);
      if (options.json) console.log(JSON.stringify({ machine, labels, results }, null, 2));
      else printRatios(machine, labels, results);
    } else {
      const cases = first.set.cases.filter(({ kernel, model }) => wanted(`${kernel} ${model}`));
      const results = cases.map((kernelCase, i) => {
        const { kernel, model } = kernelCase;
        process.stderr.write(`[${i + 1}/${cases.length}] ${kernel} ${model}\n`);
        return measure(kernelCase, first.set, seconds);
      });
      if (options.json) console.log(JSON.stringify({ machine, labels, results }, null, 2));
      else print(`${machine}, ${labels[0]}`, results);
    }
  } finally {
    await Promise.all(sides.map(({ set }) => set.end()));
  }
});

/** One set of kernels, or two that differ in one thing. */
async function createSides(
  simdText: string,
  threadsText: string,
  base: string | undefined,
  rival: string | undefined,
): Promise<Side[]> {
  const simds = oneOrTwo('simd', simdText, (text): Simd => {
    if (text === 'baseline' || text === 'relaxed') return text;
    throw new OptionError(`[--simd] expected baseline or relaxed, came "${text}"`);
  });
  const counts = oneOrTwo('threads', threadsText, (text) => whole('threads', text, 1));
  const bases = base === undefined ? [undefined] : [base, undefined];
  const kernels = rival === undefined ? [''] : [`${rival}, `, ''];
  const sides = bases.flatMap((from) =>
    simds.flatMap((simd) =>
      counts.flatMap((threads) => kernels.map((kernel) => ({ from, simd, threads, kernel }))),
    ),
  );
  if (sides.length > 2) {
    throw new OptionError(
      `[bench] expected two of one thing to compare, came ${sides.length} combinations`,
    );
  }
  return Promise.all(
    sides.map(async ({ from, simd, threads, kernel }) => {
      const build = from === undefined ? '' : `base ${basename(from)}, `;
      const create = from === undefined ? createKernelSet : await creatorOf(from);
      const label = `${build}${kernel}${simd} SIMD, ${threads} thread${threads === 1 ? '' : 's'}`;
      return { label, set: await create(simd, threads) };
    }),
  );
}

/** `createKernelSet` of another build. */
async function creatorOf(folder: string): Promise<typeof createKernelSet> {
  const { href } = pathToFileURL(join(folder, 'build', 'bench', 'kernel_set.js'));
  return (await import(href)).createKernelSet;
}

/** Seconds that the kernel takes once, and their relative error. */
function time(name: string, { run, repeats }: Runnable, maxTime: number) {
  const bench = new Benchmark(name, run, { maxTime, minSamples: 5 });
  bench.run();
  if (bench.error) throw bench.error;
  return { seconds: bench.stats.mean / repeats, spread: bench.stats.rme / 100 };
}

function measure(kernelCase: KernelCase, set: KernelSet, maxTime: number): Result {
  const { kernel, model, shape, bytes, operations } = kernelCase;
  const bandwidth =
    set.readBytes / time('read', { run: () => set.read(), repeats: 1 }, maxTime).seconds;
  const { seconds, spread } = time(kernel, set.prepare(kernelCase), maxTime);
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

function print(machine: string, results: readonly Result[]): void {
  const heads = [
    'kernel',
    'model',
    'shape',
    'us:',
    'GB/s:',
    'GOP/s:',
    'of read bandwidth:',
    'spread:',
  ];
  const rows = results.map((r) => [
    r.kernel,
    r.model,
    r.shape,
    r.microseconds.toFixed(1),
    r.gbPerSecond.toFixed(2),
    r.gopPerSecond?.toFixed(1) ?? '',
    r.ofReadBandwidth.toFixed(2),
    `${(100 * r.spread).toFixed(1)} %`,
  ]);
  console.log(`${machine}\n\n${markdownTable(heads, rows)}`);
}

function printRatios(
  machine: string,
  labels: readonly string[],
  results: readonly KernelRatio[],
): void {
  const heads = [
    'kernel',
    'model',
    'shape',
    'A us:',
    'B us:',
    'A of read:',
    'B of read:',
    'B over A:',
  ];
  const rows = results.map((r) => [
    r.kernel,
    r.model,
    r.shape,
    ...r.microseconds.map(({ median }) => median.toFixed(1)),
    ...r.ofReadBandwidth.map((spread) => spreadText(spread, 2)),
    spreadText(r.ratio, 3),
  ]);
  console.log(`${machine}; speed of B over A, median (quartiles)`);
  console.log(`A: ${labels[0]}\nB: ${labels[1]}\n\n${markdownTable(heads, rows)}`);
}
