// Names from files, and of files, cannot command the terminal they are printed on.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { printable } from '../../bindings/cli/printable.js';
import { safetensorsFile, writeTinyLlama } from '../support/tiny_model.js';
import { runCli } from './run_cli.js';

const test = suite<{ dir: string; model: string }>('printable');

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-printable-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'), { numLayers: 1 });
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

/** Sets a title, clears the screen (in one byte of C1 too), starts a line over, turns text around. */
const HOSTILE = '\x1b]0;owned\x07\x1b[2J\x9b2J\r\nhalfbyte: all is well\x7f\u202egpj.exe';
const HARMLESS =
  '\\u001b]0;owned\\u0007\\u001b[2J\\u009b2J\\u000d\\u000ahalfbyte: all is well\\u007f\\u202egpj.exe';

/** What is printed holds `HOSTILE` on one line, and no control character. */
function checkHarmless(text: string): void {
  assert.ok(text.includes(HARMLESS), JSON.stringify(text));
  assert.is(text.split('\n').length, 2, 'one line');
  assert.not.match(text.slice(0, -1), /[\p{Cc}\u202e]/u);
}

test('control characters are told, all else stays', () => {
  assert.is(printable(HOSTILE), HARMLESS);
  for (const text of ['', 'model.norm.weight', 'C:\\models', 'größe 名前 👩‍💻 אבג']) {
    assert.is(printable(text), text);
  }
});

test('the name of a tensor, the path of a model', async ({ dir, model }) => {
  const weights = join(model, 'model.safetensors');
  const file = await readFile(weights);
  const end = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, end));
  header[HOSTILE] = { ...header['model.norm.weight'], data_offsets: [0, 1e9] };
  await writeFile(weights, safetensorsFile(header, file.subarray(end)));
  checkHarmless((await runCli(['inspect', model])).stderr);
  checkHarmless((await runCli(['inspect', join(dir, HOSTILE)])).stderr);
});

test('the name of OUT', async ({ dir, model }) => {
  const { code, stdout, stderr } = await runCli(['compress', model, '-o', join(dir, HOSTILE)]);
  assert.is(code, 0, stderr);
  checkHarmless(stdout);
});

test('JSON stays the same JSON', async ({ model }) => {
  const words = ['generate', model, '--prompt', HOSTILE, '--max-tokens', '0', '--json'];
  const { code, stdout, stderr } = await runCli(words);
  assert.is(code, 0, stderr);
  assert.is(JSON.parse(stdout).prompt, HOSTILE);
  assert.not.match(stdout.slice(0, -1), /[\p{Cc}\u202e]/u);
});

test.run();
