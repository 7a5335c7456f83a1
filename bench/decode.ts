// Whole models: prefill, decode, first token, load time over a plain read of the file, peak memory; and, where
// there are two contestants, the ratio of the second over the first, trial by trial.
//
//   node build/bench/decode.js [MODEL...] [--threads 1,2] [--compare FOLDER] [--prompt-tokens 128]
//     [--decode-tokens 64] [--context 0] [--trials 5] [--busy] [--json]
//
// MODEL: a directory, a .safetensors file, or the name of a shape (135M, 1.1B, 7B) with random int4 weights.

import { cpus } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { OptionError } from '../bindings/errors.js';
import { keepCoreBusy } from './busy.js';
import type { Contestant } from './decode_process.js';
import { type Measured, measureModel, type Sizes } from './decode_rounds.js';
import { oneOrTwo, runMain, whole } from './options.js';
import { poolStartMs } from './pool_start.js';
import { seededModel } from './seeded_model.js';
import { MODEL_SHAPES } from './shapes.js';
import { ratioOf, type Spread, spreadOf, spreadText } from './statistics.js';
import { markdownTable } from './table.js';

const BUILD = join(dirname(fileURLToPath(import.meta.url)), '..');
const MODELS = join(BUILD, '..', '.cache', 'models');
const POOL_STARTS = 9;

interface Row {
  readonly model: string;
  readonly label: string;
  readonly prefillTokensPerSecond: Spread;
  readonly decodeTokensPerSecond: Spread;
  readonly firstTokenMs: Spread;
  readonly loadMs: Spread;
  /** Load time over the time to read the file's bytes, load by load. */
  readonly loadOverRead: Spread;
  readonly peakMemoryBytes: number;
}

/** Speeds of the second contestant over the first. */
interface Ratio {
  readonly model: string;
  readonly label: string;
  readonly prefill: Spread;
  readonly decode: Spread;
  readonly load: Spread;
}

await runMain(async () => {
  const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      threads: { type: 'string', default: '1' },
      compare: { type: 'string' },
      'prompt-tokens': { type: 'string', default: '128' },
      'decode-tokens': { type: 'string', default: '64' },
      context: { type: 'string', default: '0' },
      trials: { type: 'string', default: '5' },
      busy: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  });
  const sizes: Sizes = {
    promptTokens: whole('prompt-tokens', options['prompt-tokens'], 1),
    decodeTokens: whole('decode-tokens', options['decode-tokens'], 1),
    contextTokens: whole('context', options.context, 0),
    trials: whole('trials', options.trials, 1),
  };
  const threads = oneOrTwo('threads', options.threads, (part) => whole('threads', part, 1));
  const contestants = contestantsOf(threads, options.compare);

  const poolStart = Math.max(...threads) > 1 ? await poolStarts(Math.max(...threads)) : null;
  const rows: Row[] = [];
  const ratios: Ratio[] = [];
  let simd = '';
  for (const model of positionals.length > 0 ? positionals : ['135M', '1.1B']) {
    const location = await locationOf(model);
    const letGo = options.busy ? keepCoreBusy() : () => {};
    const measured = await measureModel(location, contestants, sizes).finally(letGo);
    const name = basename(model);
    simd = measured[0]?.simd ?? simd;
    rows.push(...measured.map((one) => rowOf(name, one, sizes)));
    ratios.push(...measured.slice(1).map((one) => ratio(name, one, measured[0] as Measured)));
  }
  const machine = { cpu: cpus()[0]?.model ?? 'unknown CPU', node: process.version, simd };
  const report = { ...machine, ...sizes, busy: options.busy, poolStart, rows, ratios };
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else print(report);
});

function contestantsOf(threads: readonly number[], base: string | undefined): Contestant[] {
  const count = (n: number) => `${n} thread${n === 1 ? '' : 's'}`;
  if (base === undefined) {
    return threads.map((n) => ({ label: count(n), build: BUILD, threads: n }));
  }
  const [n = 1, second] = threads;
  if (second !== undefined) {
    throw new OptionError(`[--compare] expected one --threads beside it, came ${threads}`);
  }
  return [
    { label: `base ${basename(base)}, ${count(n)}`, build: join(base, 'build'), threads: n },
    { label: `this tree, ${count(n)}`, build: BUILD, threads: n },
  ];
}

function locationOf(model: string): Promise<string> | string {
  const shape = MODEL_SHAPES.find(({ name }) => name === model);
  return shape ? seededModel(shape, MODELS) : model;
}

/** The first start in a process, which finds nothing warm, and those after it. */
async function poolStarts(threads: number) {
  const firstMs = await poolStartMs(threads);
  const later: number[] = [];
  for (let i = 0; i < POOL_STARTS; i++) later.push(await poolStartMs(threads));
  return { threads, firstMs, laterMs: spreadOf(later) };
}

function rowOf(model: string, measured: Measured, { promptTokens, decodeTokens }: Sizes): Row {
  const { label, trials, loads } = measured;
  return {
    model,
    label,
    prefillTokensPerSecond: spreadOf(trials.map((t) => (promptTokens * 1000) / t.firstTokenMs)),
    decodeTokensPerSecond: spreadOf(trials.map((t) => (decodeTokens * 1000) / t.decodeMs)),
    firstTokenMs: spreadOf(trials.map((t) => t.firstTokenMs)),
    loadMs: spreadOf(loads.map((l) => l.loadMs)),
    loadOverRead: spreadOf(loads.map((l) => l.loadMs / l.readMs)),
    peakMemoryBytes: Math.max(...trials.map((t) => t.peakMemoryBytes)),
  };
}

function ratio(model: string, second: Measured, first: Measured): Ratio {
  const times = <T>(from: (one: Measured) => readonly T[], ms: (one: T) => number) =>
    ratioOf(from(first).map(ms), from(second).map(ms));
  return {
    model,
    label: `${second.label} over ${first.label}`,
    prefill: times(
      (one) => one.trials,
      (trial) => trial.firstTokenMs,
    ),
    decode: times(
      (one) => one.trials,
      (trial) => trial.decodeMs,
    ),
    load: times(
      (one) => one.loads,
      (load) => load.loadMs,
    ),
  };
}

function print(report: {
  cpu: string;
  node: string;
  simd: string;
  busy: boolean;
  poolStart: Awaited<ReturnType<typeof poolStarts>> | null;
  promptTokens: number;
  decodeTokens: number;
  contextTokens: number;
  trials: number;
  rows: readonly Row[];
  ratios: readonly Ratio[];
}): void {
  const { cpu, node, simd, busy, poolStart, rows, ratios } = report;
  const other = busy ? ', the other core kept busy' : '';
  console.log(`${node}, ${simd} SIMD, ${cpu}${other}`);
  console.log(
    `prompt ${report.promptTokens}, decode ${report.decodeTokens}, after ${report.contextTokens} tokens; ` +
      `median (quartiles) of ${report.trials} trials\n`,
  );
  const heads = 'model,run,prefill tok/s:,decode tok/s:,first token ms:,load ms:,load over read:';
  console.log(
    markdownTable(
      [...heads.split(','), 'peak MB:'],
      rows.map((row) => [
        row.model,
        row.label,
        spreadText(row.prefillTokensPerSecond, 1),
        spreadText(row.decodeTokensPerSecond, 1),
        spreadText(row.firstTokenMs, 1),
        spreadText(row.loadMs, 0),
        spreadText(row.loadOverRead, 2),
        (row.peakMemoryBytes / 1e6).toFixed(0),
      ]),
    ),
  );
  if (ratios.length > 0) {
    const cells = ratios.map(({ model, label, prefill, decode, load }) => {
      return [model, label, ...[prefill, decode, load].map((spread) => spreadText(spread, 3))];
    });
    const names = ['model', 'speed of', 'prefill:', 'decode:', 'load:'];
    console.log(`\n${markdownTable(names, cells)}`);
  }
  if (poolStart) {
    const { threads, firstMs, laterMs } = poolStart;
    const later = `then ${spreadText(laterMs, 1)} ms`;
    console.log(
      `\npool start, ${threads} threads: ${firstMs.toFixed(1)} ms in a new process, ${later}`,
    );
  }
}
