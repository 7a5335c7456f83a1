// `npm start`: what is wrong with its words shows before a model is fetched and before a story begins.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

function start(...words: string[]) {
  const args = [join('tools', 'start.mjs'), ...words];
  return spawnSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8', timeout: 60_000 });
}

test('--help is all that it prints', () => {
  const { status, stdout, stderr } = start('--help');
  assert.is(status, 0, stderr);
  assert.match(stdout, /^Continue a text, or chat\./);
  assert.not.match(stdout, 'Once upon a time');
  assert.not.match(stderr, 'download');
});

test('a misspelt option', () => {
  const { status, stdout, stderr } = start('--temprature', '1');
  assert.is(status, 2, stderr);
  assert.is(stdout, '');
  assert.match(stderr, /did you mean --temperature\?\n$/);
});

test.run();
