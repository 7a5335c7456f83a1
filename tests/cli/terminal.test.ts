// The command line in a terminal: a pseudo-terminal of `script` (util-linux), narrow and usual, and a dumb one.

import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readText } from 'node:stream/consumers';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeTinyLlama } from '../support/tiny_model.js';
import { MAIN, runCli } from './run_cli.js';

const test = suite<{ dir: string; model: string }>('terminal');
const hasScript = /util-linux/.test(spawnSync('script', ['--version']).stdout?.toString() ?? '');
const CLEAR = '\r\x1b[K';

test.before(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-terminal-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'), { contextLength: 512 });
});

test.after(({ dir }) => rm(dir, { recursive: true }));

/** What `halfbyte ...words` shows in a terminal of so many columns. */
async function show(columns: number, words: readonly string[], terminal = 'xterm') {
  const command = [process.execPath, MAIN, ...words].map((word) => `'${word}'`).join(' ');
  const script = ['-qec', `stty cols ${columns}; ${command}`, '/dev/null'];
  const child = spawn('script', script, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TERM: terminal },
    timeout: 60_000,
  });
  return (await readText(child.stdout)).replaceAll('\r\n', '\n');
}

/** A bar longer than its line would not be redrawn but left standing. */
function checkBars(shown: string, columns: number, labels: readonly string[]): void {
  const [, ...bars] = shown.split(CLEAR).map((part) => part.split('\n')[0]!);
  for (const bar of bars.filter((one) => /\d%$/.test(one))) {
    assert.ok(bar.length < columns, `${columns} columns: ${bar}`);
  }
  for (const label of labels) {
    assert.ok(
      bars.some((bar) => bar.startsWith(label) && /\d%$/.test(bar)),
      `no bar ${label} in ${JSON.stringify(shown)}`,
    );
  }
  const rest = shown.replaceAll(CLEAR, '');
  assert.not.match(rest, '\x1b');
  assert.not.match(rest, '\r');
}

/** More than one step. */
const LONG = 'a '.repeat(200);

if (hasScript) {
  for (const columns of [22, 80]) {
    test(`${columns} columns: bars fit and are cleared`, async ({ dir, model }) => {
      const out = join(dir, `out-${columns}`);
      const compressed = await show(columns, ['compress', model, '-o', out]);
      checkBars(compressed, columns, ['compressing']);
      const words = ['generate', model, '--prompt', LONG, '--echo', '--temperature', '0'];
      const generated = await show(columns, [...words, '--max-tokens', '4']);
      checkBars(generated, columns, ['loading', 'reading']);
      const { stdout } = await runCli([...words, '--max-tokens', '4']);
      assert.ok(stdout.startsWith(LONG));
      assert.ok(generated.includes(`${CLEAR}${stdout}`), 'the text begins where the bar was');
    });
  }

  test('a dumb terminal gets no escapes', async ({ model }) => {
    const words = ['generate', model, '--prompt', LONG, '--max-tokens', '4'];
    const shown = await show(80, words, 'dumb');
    assert.match(shown, 'tokens/s');
    assert.not.match(shown, '\x1b');
    assert.not.match(shown, '\r');
  });
} else {
  console.log('without script (util-linux) there is no pseudo-terminal: its tests are skipped');
}

test('a pipe gets no escapes', async ({ model }) => {
  const words = ['generate', model, '--prompt', LONG, '--max-tokens', '4'];
  const { stdout, stderr } = await runCli(words);
  assert.match(stderr, 'tokens/s');
  assert.not.match(stdout + stderr, '\x1b');
  assert.not.match(stdout + stderr, '\r');
});

test('help fits 80 columns', async () => {
  const names = ['generate', 'compress', 'decompress', 'eval', 'inspect', 'bench', 'doctor'];
  for (const words of [[], ['help'], ...names.map((name) => ['help', name])]) {
    const { stdout, stderr } = await runCli(words);
    for (const line of (stdout + stderr).split('\n')) assert.ok(line.length <= 80, line);
  }
});

test.run();
