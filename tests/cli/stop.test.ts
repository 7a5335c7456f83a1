// What stops a run from outside: signals, a reader that leaves, a full disk. Nothing temporary stays, and the
// second Ctrl-C ends the process whatever it is doing.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeTinyLlama } from '../support/tiny_model.js';
import { follow, MAIN, runCli, runCliInto, startCli } from './run_cli.js';

const test = suite<{ dir: string; model: string; big: string }>('stop');

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-stop-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'));
  context.big = await writeTinyLlama(join(context.dir, 'big'), {
    hiddenSize: 256,
    intermediateSize: 4096,
  });
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

const MODELS = ['big', 'model'];
/** Longer than one press takes to be heard, and than the terminal may take to send it twice. */
const NEXT_PRESS_MS = 3000;
const HANGS_MS = 60_000;

type Run = ReturnType<typeof startCli>;

/** Resolves when something temporary lies in `dir`, or the run is over. */
async function writing({ child }: Run, dir: string): Promise<void> {
  const isTemporary = (name: string) => name.includes('.tmp');
  while (child.exitCode === null && !(await readdir(dir)).some(isTemporary)) await after(5);
}

/** Resolves when the run has written `text` to stderr. */
async function says({ child }: Run, text: string): Promise<void> {
  let heard = '';
  for await (const piece of child.stderr.iterator({ destroyOnReturn: false })) {
    heard += piece;
    if (heard.includes(text)) return;
  }
  assert.unreachable(`${text} was never said, but ${heard}`);
}

/** The outcome; a run that hangs is killed, and says so by its signal. */
async function outcome({ child, done }: Run) {
  const timer = setTimeout(() => child.kill('SIGKILL'), HANGS_MS);
  return done.finally(() => clearTimeout(timer));
}

/** A preload that computes for ever when the first result is to be written. */
const BLOCKS = [
  '--import',
  `data:text/javascript,${encodeURIComponent(`
    import { isMainThread } from 'node:worker_threads';
    if (isMainThread) {
      process.stdout.write = () => {
        process.stderr.write('blocked');
        for (;;);
      };
    }`)}`,
];

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  // Where a terminal closes, or npm hands Ctrl-C on, it comes twice.
  for (const times of [1, 2]) {
    test(`${signal}, ${times} at once: temporary files go`, async ({ dir, big }) => {
      for (const out of ['out', 'out.safetensors']) {
        const run = startCli(['compress', big, '-o', join(dir, out), '--scheme', 'int4-asym']);
        await writing(run, dir);
        for (let i = 0; i < times; i++) {
          run.child.kill(signal);
          await after(2);
        }
        const { code, stdout, stderr } = await outcome(run);
        assert.is(code, 128 + constants.signals[signal], stderr);
        assert.is(stdout, '');
        assert.match(stderr, /halfbyte: interrupted\n$/);
        assert.equal((await readdir(dir)).sort(), MODELS);
      }
    });
  }
}

test('a reader that leaves: no temporary file stays', async ({ dir, model }) => {
  const trace = join(dir, 'trace.json');
  const run = startCli(['generate', model, '--prompt', 'the', '--trace', trace]);
  run.child.stdout.destroy();
  const { code, stderr } = await outcome(run);
  assert.is(code, 0, stderr);
  assert.is(stderr, '');
  assert.equal((await readdir(dir)).sort(), MODELS);
});

test('nobody reads: a compression is whole nevertheless', async ({ dir, model }) => {
  const words = (out: string) => ['compress', model, '-o', join(dir, out), '--scheme', 'int4'];
  await runCli(words('expected.safetensors'));
  const run = startCli(words('out.safetensors'));
  run.child.stdout.destroy();
  run.child.stderr.destroy();
  assert.is((await outcome(run)).code, 0);
  const names = ['expected.safetensors', 'out.safetensors'];
  const [expected, came] = await Promise.all(names.map((name) => readFile(join(dir, name))));
  assert.ok(expected!.equals(came!));
  assert.equal((await readdir(dir)).sort(), [...MODELS, ...names].sort());
});

test('a full disk under stdout: no temporary file stays', async ({ dir, model }) => {
  if (!existsSync('/dev/full')) return;
  const words = ['generate', model, '--prompt', 'the', '--trace', join(dir, 'trace.json')];
  const { code, stderr } = await runCliInto('/dev/full', words);
  assert.is(code, 1, stderr);
  assert.match(stderr, /^halfbyte: \[stdout\].*ENOSPC.*\n$/);
  assert.equal((await readdir(dir)).sort(), MODELS);
});

test('the second Ctrl-C ends a process that computes without a pause', async ({ dir, model }) => {
  const run = startCli(['compress', model, '-o', join(dir, 'out')], '', BLOCKS);
  await says(run, 'blocked');
  run.child.kill('SIGINT');
  await after(NEXT_PRESS_MS);
  assert.is(run.child.signalCode, null, 'the first is a request');
  run.child.kill('SIGINT');
  assert.is((await outcome(run)).signal, 'SIGINT');
});

test('with nothing to clear away the first signal ends it', async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const run = startCli(['--version'], '', BLOCKS);
    await says(run, 'blocked');
    run.child.kill(signal);
    assert.is((await outcome(run)).signal, signal);
  }
});

test('the same as a child of npm start, where a terminal sends Ctrl-C to both', async (context) => {
  const { dir, model } = context;
  const words = [...BLOCKS, MAIN, 'compress', model, '-o', join(dir, 'out')];
  const start =
    `import { runInPlace } from ${JSON.stringify(resolve('tools/in_place.mjs'))};` +
    `process.exitCode = await runInPlace(${JSON.stringify(words)});`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', start], { detached: true });
  const run = follow(child);
  const toBoth = (signal: NodeJS.Signals) => process.kill(-child.pid!, signal);
  try {
    await says(run, 'blocked');
    toBoth('SIGINT');
    await after(NEXT_PRESS_MS);
    toBoth('SIGINT');
    const timer = setTimeout(() => toBoth('SIGKILL'), HANGS_MS);
    const { code, stderr } = await run.done.finally(() => clearTimeout(timer));
    assert.is(code, 130, stderr);
    assert.throws(() => toBoth('SIGKILL'), /ESRCH/);
  } catch (error) {
    if (child.exitCode === null) toBoth('SIGKILL');
    throw error;
  }
});

test.run();
