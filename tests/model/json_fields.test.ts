import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig } from '../../bindings/model/config.js';
import { checkJsonDepth, parseJsonObject } from '../../bindings/model/json_fields.js';
import { readSafetensors } from '../../bindings/model/safetensors.js';
import { memorySource } from '../../bindings/model/source.js';
import { createTokenizer } from '../../bindings/text/tokenizer.js';
import { runCli } from '../cli/run_cli.js';
import { raises } from '../support/raises.js';

const DEEP = 200_000;
const deep = (open: string, close: string) => `{"a":${open.repeat(DEEP)}1${close.repeat(DEEP)}}`;

test('depth: only brackets outside of strings count', async () => {
  for (const text of ['{"a":"[[[[{{{{"}', '{"a\\"[":"\\\\","b":["[\\"["]}', '["', '"\\']) {
    checkJsonDepth(`${text}`, 'x.json');
  }
  const levels = (count: number) => `${'['.repeat(count)}"]]]]"${']'.repeat(count)}`;
  checkJsonDepth(levels(100), 'x.json');
  const run = () => checkJsonDepth(`${levels(101)}${levels(7)}`, 'x.json');
  await raises(run, 'FORMAT', ['[x.json]', 100, 101]);
  await raises(() => checkJsonDepth('[{'.repeat(90), 'x.json'), 'FORMAT', [180]);
});

test('every file that is nested too deep is refused by name, with depth and limit', async () => {
  const parts = ['levels', 100, DEEP + 1];
  for (const text of [deep('[', ']'), deep('{"a":', '}')]) {
    await raises(() => parseJsonObject(text, 'index.json'), 'FORMAT', ['[index.json]', ...parts]);
    await raises(() => parseConfig(text, 'config.json'), 'FORMAT', ['[config.json]', ...parts]);
    const create = () => {
      const tokenizer = { tokenizer: text, tokenizerConfig: null };
      return createTokenizer(tokenizer, { vocabSize: 9, bosTokenId: null, eosTokenIds: [] });
    };
    await raises(create, 'FORMAT', ['[tokenizer.json]', ...parts]);
    const header = new TextEncoder().encode(text);
    const file = new Uint8Array(8 + header.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
    file.set(header, 8);
    const read = () => readSafetensors(memorySource('x.safetensors', file));
    await raises(read, 'FORMAT', ['x.safetensors', ...parts]);
  }
});

test('a recipe that is nested too deep is refused by name', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'halfbyte-deep-'));
  try {
    const recipe = join(folder, 'recipe.json');
    await writeFile(recipe, deep('[', ']'));
    const { code, stderr } = await runCli([
      'compress',
      folder,
      '-o',
      join(folder, 'out'),
      '--recipe',
      recipe,
    ]);
    assert.is(code, 1, stderr);
    assert.match(stderr, /recipe\.json\].* 100 levels deep, came 200001/);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test.run();
