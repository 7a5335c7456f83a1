// The fuzzer finds what is planted, says how to see it again, and lives through what kills its children.

import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Findings } from './findings.js';
import { type RunOptions, runCases } from './run.js';

const PLANTED = fileURLToPath(new URL('./planted.js', import.meta.url));
const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
/** Of ten cases about nine are spoiled. */
const CASES = 4;

async function run(kinds: string, options: Partial<RunOptions> = {}): Promise<Findings> {
  const findings = new Findings();
  const all: RunOptions = {
    seed: 3,
    from: 0,
    cases: CASES,
    cpuSeconds: Number.POSITIVE_INFINITY,
    processes: 1,
    caseSeconds: 2,
    residentBytes: 400e6,
    kinds,
    subjects: PLANTED,
    ...options,
  };
  await runCases(all, {
    onEnd: (number, kind, outcome) => findings.add(number, kind, outcome),
    onSmaller: (number, found) => findings.replace(number, found),
    onCpu: () => {},
  });
  return findings;
}

/** What was found, after all cases were run. */
async function found(kinds: string, options: Partial<RunOptions> = {}): Promise<[string, string]> {
  const findings = await run(kinds, options);
  assert.is(findings.total.cases, options.cases ?? CASES);
  assert.ok(findings.total.findings > 0, `${kinds}: nothing was found`);
  const [first] = findings.kept;
  return [first!.found.what, first!.found.message];
}

test('nothing is found where nothing is planted', async () => {
  const { total } = await run('no harm');
  assert.equal(total, { cases: CASES, accepted: CASES, refused: 0, findings: 0 });
});

test('an error of another class', async () => {
  assert.equal(await found('type error'), ['TypeError', 'Cannot read properties of undefined']);
});

test('a case that never ends, busy or idle', async () => {
  assert.equal(await found('hang', { cases: 1, caseSeconds: 1 }), ['time', 'over 1 s']);
  const [what, message] = await found('silence', { cases: 1, caseSeconds: 0.5 });
  assert.is(what, 'time');
  assert.match(message, /stands still|over 0.5 s/);
});

test('memory beyond the limit, and a process that dies', async () => {
  if (process.platform === 'linux') assert.is((await found('memory', { cases: 1 }))[0], 'memory');
  assert.equal(await found('death'), ['death', 'exit 7 ']);
});

test('a rejection that nobody awaits', async () => {
  const [what, message] = await found('astray');
  assert.is(what, 'uncaught');
  assert.match(message, /nobody awaits it/);
});

test('a weight of the oracle that is not the model’s', async () => {
  const [what, message] = await found('wrong oracle');
  assert.is(what, 'other logits');
  assert.match(message, /off by \d/);
});

test('damages that do no harm are left out', async () => {
  const findings = await run('one of three', { cases: 40 });
  const { found: smallest, count } = findings.kept[0]!;
  assert.ok(count > 1 && count < 40);
  assert.equal(
    smallest.needed.map((i) => smallest.damages[i]),
    ['b'],
  );
});

test('the command: exit codes, a file for each finding, the call that repeats it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'halfbyte-fuzzer-'));
  const call = (...words: string[]) =>
    new Promise<{ code: number; out: string }>((resolve) => {
      const all = [MAIN, '--subjects', PLANTED, '--folder', join(folder, 'found'), ...words];
      execFile(process.execPath, all, (error, out) => {
        resolve({ code: error ? Number(error.code) : 0, out });
      });
    });
  try {
    const good = await call('--kinds', 'no harm', '--cases', '5', '--seed', '1');
    assert.is(good.code, 0, good.out);
    assert.match(good.out, /no harm +5 +5 +0 +0/);
    const bad = await call('--kinds', 'type error', '--cases', '5', '--seed', '1');
    assert.is(bad.code, 1, bad.out);
    const [file = ''] = await readdir(join(folder, 'found'));
    const { again } = JSON.parse(await readFile(join(folder, 'found', file), 'utf8'));
    const number = /--seed 1 --kinds 'type error' --case (\d+)/.exec(again)?.[1] ?? again;
    const repeated = await call('--kinds', 'type error', '--seed', '1', '--case', number);
    assert.is(repeated.code, 1);
    assert.match(repeated.out, /planted\.ts/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
