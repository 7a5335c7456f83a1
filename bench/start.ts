// Start to first token: the whole process `halfbyte generate MODEL --max-tokens 1`, over `node -e 0` by the same
// Node, run in turns. What the process does meanwhile is measured station by station in processes of their own.
//
//   node build/bench/start.js [MODEL] [--pairs N] [--json]      MODEL: default models/stories15M-int4

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { OptionError } from '../bindings/errors.js';
import { runMain, whole } from './options.js';
import { ratioOf, spreadOf, spreadText } from './statistics.js';
import { markdownTable } from './table.js';

const PROMPT = 'Once upon a time';
const MAIN = builtFile('bindings/cli/main.js');
const STATIONS = builtFile('bench/start_stations.js');
const DEFAULT_MODEL = builtFile('../models/stories15M-int4');

interface Run {
  readonly ms: number;
  /** Until something came on stdout. */
  readonly firstMs: number;
  readonly stdout: string;
}

function builtFile(path: string): string {
  return fileURLToPath(new URL(`../${path}`, import.meta.url));
}

/** Runs Node on `words` to its end. */
function run(words: readonly string[]): Promise<Run> {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
    let firstMs = 0;
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      firstMs ||= performance.now() - started;
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.on('error', reject);
    child.on('close', (code) => {
      const ms = performance.now() - started;
      if (code === 0) resolve({ ms, firstMs, stdout });
      else reject(new Error(`[bench] ${words.join(' ')} ended with ${code}: ${stderr}`));
    });
  });
}

async function measure(model: string, pairs: number) {
  const generate = [MAIN, 'generate', model, '--prompt', PROMPT];
  generate.push('--max-tokens', '1', '--temperature', '0');
  // The first run fills the caches: that of the files, and Node's of what it compiled.
  await run(generate);
  const bare: number[] = [];
  const runs: Run[] = [];
  const program: number[] = [];
  const stations: Record<string, number>[] = [];
  for (let i = 0; i < pairs; i++) {
    bare.push((await run(['-e', '0'])).ms);
    runs.push(await run(generate));
    program.push((await run([MAIN, '--version'])).ms);
    stations.push(JSON.parse((await run([STATIONS, model, PROMPT])).stdout));
  }
  const medianOf = (name: string) => spreadOf(stations.map((one) => one[name]!)).median;
  return {
    ratio: ratioOf(
      runs.map(({ ms }) => ms),
      bare,
    ),
    bareMs: spreadOf(bare),
    wholeMs: spreadOf(runs.map(({ ms }) => ms)),
    firstTokenMs: spreadOf(runs.map(({ firstMs }) => firstMs)),
    stationsMs: {
      program: spreadOf(program.map((ms, i) => ms - bare[i]!)).median,
      ...Object.fromEntries(Object.keys(stations[0]!).map((name) => [name, medianOf(name)])),
      exit: spreadOf(runs.map(({ ms, firstMs }) => ms - firstMs)).median,
    },
  };
}

await runMain(async () => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      pairs: { type: 'string', default: '15' },
      json: { type: 'boolean', default: false },
    },
  });
  const pairs = whole('pairs', values.pairs, 1);
  const model = positionals[0] ?? DEFAULT_MODEL;
  if (!existsSync(model)) {
    throw new OptionError(`[${model}] no such model; npm start makes the default one`);
  }
  const result = await measure(model, pairs);
  const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} processors`;
  if (values.json) {
    const text = JSON.stringify({ node: process.version, machine, model, pairs, ...result });
    process.stdout.write(`${text}\n`);
    return;
  }
  const { ratio, bareMs, wholeMs, firstTokenMs, stationsMs } = result;
  const overall = markdownTable(
    ['over `node -e 0`', 'whole process, ms', 'to first token, ms', '`node -e 0`, ms'],
    [[spreadText(ratio, 2), ...[wholeMs, firstTokenMs, bareMs].map((ms) => spreadText(ms, 0))]],
  );
  const stations = markdownTable(Object.keys(stationsMs), [
    Object.values(stationsMs).map((ms) => ms.toFixed(1)),
  ]);
  process.stdout.write(
    `Node ${process.version}, ${machine}, ${pairs} pairs\n\n${overall}\n\n${stations}\n`,
  );
});
