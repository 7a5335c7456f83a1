// Start to first token: the whole process `halfbyte generate MODEL --max-tokens 1`, over `node -e 0` by the same
// Node, run in turns. What the process does meanwhile is measured station by station in processes of their own.
//
//   node build/bench/start.js [MODEL] [--pairs N] [--json]      MODEL: default models/stories15M-int4

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const PROMPT = 'Once upon a time';
const MAIN = builtFile('bindings/cli/main.js');
const STATIONS = builtFile('bench/start_stations.js');
const DEFAULT_MODEL = builtFile('../models/stories15M-int4');

interface Quartiles {
  readonly low: number;
  readonly median: number;
  readonly high: number;
}

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

function quartiles(values: readonly number[]): Quartiles {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.round(part * (sorted.length - 1))]!;
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

async function measure(model: string, pairs: number) {
  const generate = [MAIN, 'generate', model, '--prompt', PROMPT];
  generate.push('--max-tokens', '1', '--temperature', '0');
  // The first run fills the caches: that of the files, and Node's of what it compiled.
  await run(generate);
  const bare: number[] = [];
  const whole: Run[] = [];
  const program: number[] = [];
  const stations: Record<string, number>[] = [];
  for (let i = 0; i < pairs; i++) {
    bare.push((await run(['-e', '0'])).ms);
    whole.push(await run(generate));
    program.push((await run([MAIN, '--version'])).ms);
    stations.push(JSON.parse((await run([STATIONS, model, PROMPT])).stdout));
  }
  const medianOf = (name: string) => quartiles(stations.map((one) => one[name]!)).median;
  return {
    ratio: quartiles(whole.map(({ ms }, i) => ms / bare[i]!)),
    bareMs: quartiles(bare),
    wholeMs: quartiles(whole.map(({ ms }) => ms)),
    firstTokenMs: quartiles(whole.map(({ firstMs }) => firstMs)),
    stationsMs: {
      program: quartiles(program.map((ms, i) => ms - bare[i]!)).median,
      ...Object.fromEntries(Object.keys(stations[0]!).map((name) => [name, medianOf(name)])),
      exit: quartiles(whole.map(({ ms, firstMs }) => ms - firstMs)).median,
    },
  };
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: 'string', default: '15' }, json: { type: 'boolean', default: false } },
});
const pairs = Number(values.pairs);
if (!Number.isSafeInteger(pairs) || pairs < 1) {
  throw new Error(`[--pairs] expected a whole number of 1 or more, came ${values.pairs}`);
}
const model = positionals[0] ?? DEFAULT_MODEL;
if (!existsSync(model))
  throw new Error(`[${model}] no such model; npm start makes the default one`);

const result = await measure(model, pairs);
const machine = `${cpus()[0]?.model.trim()}, ${cpus().length} processors`;
const range = ({ low, high }: Quartiles, digits: number) =>
  `${low.toFixed(digits)} to ${high.toFixed(digits)}`;
if (values.json) {
  const text = JSON.stringify({ node: process.version, machine, model, pairs, ...result });
  process.stdout.write(`${text}\n`);
} else {
  const { ratio, bareMs, wholeMs, firstTokenMs, stationsMs } = result;
  const names = Object.keys(stationsMs);
  const cells = Object.values(stationsMs).map((ms) => ms.toFixed(1));
  process.stdout.write(
    [
      `Node ${process.version}, ${machine}, ${pairs} pairs`,
      '',
      '| over `node -e 0` | quartiles | whole process, ms | quartiles | to first token, ms | `node -e 0`, ms |',
      '| ---: | ---: | ---: | ---: | ---: | ---: |',
      `| ${ratio.median.toFixed(2)} | ${range(ratio, 2)} | ${wholeMs.median.toFixed(0)} | ${range(wholeMs, 0)} ` +
        `| ${firstTokenMs.median.toFixed(0)} | ${bareMs.median.toFixed(0)} |`,
      '',
      `| ${names.join(' | ')} |`,
      `| ${names.map(() => '---:').join(' | ')} |`,
      `| ${cells.join(' | ')} |`,
      '',
    ].join('\n'),
  );
}
