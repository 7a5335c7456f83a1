// `--trace FILE` of generate and bench.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ChromeEvent, PhaseSummary } from '../../bindings/index.js';
import { writeTinyLlama } from '../support/tiny_model.js';
import { runCli } from './run_cli.js';

const test = suite<{ dir: string; model: string }>('--trace');

test.before(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-cli-trace-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'));
});

test.after(({ dir }) => rm(dir, { recursive: true }));

/** The events of a trace file, by category. */
async function readTrace(file: string) {
  const { traceEvents } = JSON.parse(await readFile(file, 'utf8'));
  const events = traceEvents as Required<ChromeEvent>[];
  return {
    head: events.filter(({ ph }) => ph === 'M'),
    steps: events.filter(({ cat }) => cat === 'step'),
    ops: events.filter(({ cat }) => cat === 'op'),
  };
}

const GREEDY = ['--prompt', 'the hand', '--temperature', '0', '--max-tokens', '5'];

test('generate: a Chrome trace, a table on stderr, the text as without', async (context) => {
  const { dir, model } = context;
  const out = join(dir, 'generate');
  await mkdir(out);
  const file = join(out, 'trace.json');
  await writeFile(file, 'an older trace');
  const words = ['generate', model, ...GREEDY, '--threads', '2'];
  const plain = await runCli(words);
  const { code, stdout, stderr } = await runCli([...words, '--trace', file]);
  assert.is(code, 0, stderr);
  assert.is(stdout, plain.stdout);
  assert.match(stderr, /\ndecode: \d+ steps?, .*2 threads/);
  assert.match(stderr, /\nmatmul +15 /);
  assert.equal(await readdir(out), ['trace.json'], 'nothing temporary is left');
  const { head, steps, ops } = await readTrace(file);
  assert.is(head.length, 2);
  assert.is(steps[0]?.name, 'prefill');
  assert.ok(steps.slice(1).every(({ name }) => name === 'decode'));
  for (const { ts, dur } of steps) {
    const inside = ops.filter((op) => op.ts >= ts && op.ts + op.dur <= ts + dur + 1e-3);
    assert.is(inside.length, ops.length / steps.length);
    const sum = inside.reduce((total, op) => total + op.dur, 0);
    assert.ok(Math.abs(sum - dur) < 1e-2, `${sum} of ${dur} us`);
  }
});

test('bench: figures of an untraced model, then one traced trial', async ({ dir, model }) => {
  const file = join(dir, 'bench.json');
  const sizes = ['--prompt-tokens', '70', '--decode-tokens', '5', '--trials', '2'];
  const words = ['bench', model, ...sizes, '--trace', file, '--json'];
  const { code, stdout, stderr } = await runCli(words);
  assert.is(code, 0, stderr);
  const report = JSON.parse(stdout);
  assert.is(report.trials, 2);
  const [prefill, decode] = report.trace as PhaseSummary[];
  assert.equal([prefill?.phase, prefill?.steps, prefill?.rows], ['prefill', 2, 70]);
  assert.equal([decode?.phase, decode?.steps], ['decode', 5]);
  assert.equal([decode?.firstPosition, decode?.lastPosition], [70, 74]);
  const shares = decode?.kinds.reduce((sum, { share }) => sum + share, 0) ?? 0;
  assert.ok(Math.abs(shares - 1) < 1e-6, `${shares}`);
  assert.ok(decode?.kinds.some(({ kind }) => kind === 'sdpa'));
  assert.is((await readTrace(file)).steps.length, 7);
});

test('what cannot be a trace file is refused before the model is read', async ({ dir }) => {
  const cases: [string, number, RegExp][] = [
    ['', 2, /\[--trace\] expected a path/],
    [dir, 2, /\[--trace\] expected a file, came the directory/],
    [join(dir, 'none', 'trace.json'), 1, /none.*cannot create/],
  ];
  for (const [file, expected, message] of cases) {
    const words = ['generate', join(dir, 'no-model'), ...GREEDY, `--trace=${file}`];
    const { code, stderr } = await runCli(words);
    assert.is(code, expected, stderr);
    assert.match(stderr, message);
  }
});

test('a run that fails leaves the old file as it was', async ({ dir, model }) => {
  const out = join(dir, 'failing');
  await mkdir(out);
  const file = join(out, 'trace.json');
  await writeFile(file, 'old');
  const long = ['--prompt', 'the hand '.repeat(200), '--trace', file];
  const full = await runCli(['generate', model, ...long]);
  assert.is(full.code, 1, full.stderr);
  const reference = ['generate', model, ...GREEDY, '--device', 'reference', '--trace', file];
  const refused = await runCli(reference);
  assert.is(refused.code, 1);
  assert.match(refused.stderr, /onTrace: device reference/);
  assert.is(await readFile(file, 'utf8'), 'old');
  assert.equal(await readdir(out), ['trace.json']);
});

test('eval takes no trace', async ({ model }) => {
  const { code, stderr } = await runCli(['eval', model, '--text', 'x', '--trace', 'y']);
  assert.is(code, 2);
  assert.match(stderr, /--trace/);
});

test.run();
