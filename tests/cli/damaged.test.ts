// Damaged input and wrong calls: one line that names what is wrong, the right exit code, no stack.

import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { safetensorsFile, writeOverflowing, writeTinyLlama } from '../support/tiny_model.js';
import { type Outcome, runCli, runCliInto } from './run_cli.js';

const test = suite<{ dir: string; model: string }>('damaged');

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-damaged-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'), { numLayers: 1 });
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

function checkRefusal({ code, stdout, stderr }: Outcome, expected: number, named: RegExp): void {
  assert.is(code, expected, `exit code; stderr: ${stderr}`);
  assert.is(stdout, '');
  assert.ok(stderr.startsWith('halfbyte: '), stderr);
  assert.is(stderr.split('\n').length, 2, `one line, came ${stderr}`);
  assert.ok(named.test(stderr), `expected ${named}, came ${stderr}`);
}

type Json = Record<string, unknown>;
type Entry = { dtype: string; shape: number[]; data_offsets: [number, number] };
const NORM = 'model.norm.weight';

/** Rewrites the header of model.safetensors; the data stays. */
async function editHeader(model: string, edit: (header: Record<string, Entry>) => void) {
  const path = join(model, 'model.safetensors');
  const file = await readFile(path);
  const end = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, end));
  edit(header);
  await writeFile(path, safetensorsFile(header, file.subarray(end)));
}

async function editConfig(model: string, changes: Json) {
  const path = join(model, 'config.json');
  const config = JSON.parse(await readFile(path, 'utf8'));
  await writeFile(path, JSON.stringify({ ...config, ...changes }));
}

const weights = (model: string) => join(model, 'model.safetensors');
const header = (edit: (entry: Entry) => Partial<Entry>) => (model: string) =>
  editHeader(model, (all) => Object.assign(all[NORM]!, edit(all[NORM]!)));
const config = (changes: Json) => (model: string) => editConfig(model, changes);

const DAMAGE: [string, (model: string) => Promise<unknown>, RegExp][] = [
  ['truncated', (model) => truncate(weights(model), 5000), /model\.safetensors/],
  ['truncated in the header', (model) => truncate(weights(model), 40), /model\.safetensors/],
  ['empty', (model) => writeFile(weights(model), ''), /model\.safetensors.*0 bytes/],
  ['no JSON', (model) => writeFile(weights(model), 'x'.repeat(500)), /model\.safetensors/],
  [
    'offsets out of range',
    header(({ data_offsets: [a] }) => ({ data_offsets: [a, 1e9] })),
    /model\.norm/,
  ],
  [
    'offsets reversed',
    header(({ data_offsets: [a, b] }) => ({ data_offsets: [b, a] })),
    /model\.norm.*reversed/,
  ],
  ['another shape', header(() => ({ shape: [8, 8] })), /model\.norm.*\[8, 8\].*\[64\]/],
  ['unknown dtype', header(() => ({ dtype: 'F99' })), /model\.norm.*F99/],
  [
    'a tensor of another name',
    (model) =>
      editHeader(model, (all) => {
        all['model.other.weight'] = all[NORM]!;
        delete all[NORM];
      }),
    /model\.norm\.weight is missing/,
  ],
  ['no hidden_size', config({ hidden_size: undefined }), /config\.json.*hidden_size/],
  ['zero heads', config({ num_attention_heads: 0 }), /config\.json.*num_attention_heads/],
  ['negative layers', config({ num_hidden_layers: -1 }), /config\.json.*num_hidden_layers/],
  ['huge vocabulary', config({ vocab_size: 1e15 }), /config\.json.*vocab_size/],
  ['a size in words', config({ intermediate_size: 'big' }), /config\.json.*intermediate_size/],
  ['another architecture', config({ architectures: ['GPT2LMHeadModel'] }), /GPT2LMHeadModel/],
  ['config.json no JSON', (model) => writeFile(join(model, 'config.json'), '{'), /config\.json/],
  ['no config.json', (model) => rm(join(model, 'config.json')), /config\.json/],
  ['no weights', (model) => rm(weights(model)), /model\.safetensors/],
  ['no model', (model) => rm(model, { recursive: true }), /no such file/],
];

for (const [name, damage, named] of DAMAGE) {
  test(name, async ({ dir, model }) => {
    await damage(model);
    checkRefusal(await runCli(['generate', model, '--prompt', 'a']), 1, named);
    checkRefusal(await runCli(['compress', model, '-o', join(dir, 'out')]), 1, named);
  });
}

test('no model: a file of another kind', async ({ model }) => {
  checkRefusal(
    await runCli(['inspect', join(model, 'config.json')]),
    1,
    /config\.json.*not a model/,
  );
});

test('weights whose logits overflow', async ({ dir }) => {
  const model = await writeOverflowing(join(dir, 'overflowing'));
  const file = join(dir, 'text');
  await writeFile(file, 'the hen and the dog');
  const named = /position \d+: expected finite numbers, came (-?Infinity|NaN) for token \d+/;
  checkRefusal(await runCli(['eval', model, '--text', file]), 1, named);
  for (const temperature of ['0', '1']) {
    const words = ['generate', model, '--prompt', 'a', '--temperature', temperature];
    checkRefusal(await runCli(words), 1, named);
  }
});

test('sampling defaults that mean nothing', async ({ model }) => {
  await writeFile(join(model, 'generation_config.json'), '{"top_p": 0}');
  const named = /\[generation_config\.json\] top_p: expected a number in \(0, 1\], came 0/;
  checkRefusal(await runCli(['generate', model, '--prompt', 'a', '--top-p', '1']), 1, named);
});

test('a damaged tokenizer', async ({ model }) => {
  await writeFile(join(model, 'tokenizer.json'), '[]');
  checkRefusal(await runCli(['generate', model, '--prompt', 'a']), 1, /tokenizer\.json/);
});

test('a text that is not UTF-8', async ({ dir, model }) => {
  const file = join(dir, 'latin1');
  await writeFile(file, Buffer.from('caf\u00e9', 'latin1'));
  checkRefusal(await runCli(['eval', model, '--text', file]), 1, /latin1.*UTF-8/);
  checkRefusal(
    await runCli(['compress', model, '-o', join(dir, 'out'), '--recipe', file]),
    1,
    /latin1.*UTF-8/,
  );
});

test('stdout on a full disk', async ({ model }) => {
  const full = '/dev/full';
  if (!existsSync(full)) return;
  const generate = ['generate', model, '--prompt', 'a', '--json'];
  for (const words of [['inspect', model], ['--help'], generate]) {
    checkRefusal(await runCliInto(full, words), 1, /\[stdout\].*ENOSPC/);
  }
});

test('nowhere to write', async ({ dir, model }) => {
  const file = join(dir, 'file');
  await writeFile(file, '');
  checkRefusal(await runCli(['compress', model, '-o', join(file, 'out')]), 1, /cannot create/);
});

const WRONG_CALLS: [string[], RegExp][] = [
  [['compose'], /compose/],
  [['generate'], /MODEL/],
  [['generate', 'MODEL'], /--prompt/],
  [['generate', 'MODEL', '--prompt', 'a', '--nope'], /--nope/],
  [['generate', 'MODEL', '--prompt', '--json'], /--prompt.*--prompt=/],
  [['generate', '', '--prompt', 'a'], /location/],
  [['generate', 'MODEL', '--prompt', 'a', '--max-tokens', '-1'], /--max-tokens.*-1/],
  [['generate', 'MODEL', '--prompt', 'a', '--max-tokens', 'x'], /--max-tokens.*x/],
  [['generate', 'MODEL', '--prompt', 'a', '--temperature', '-1'], /temperature.*-1/],
  [['generate', 'MODEL', '--prompt', 'a', '--top-p', '2'], /topP.*2/],
  [['generate', 'MODEL', '--prompt', 'a', '--kv-cache', 'f64'], /--kv-cache.*f64/],
  [['generate', 'MODEL', '--prompt', 'a', '--device', 'abacus'], /--device.*abacus/],
  [['generate', 'MODEL', '--prompt', 'a', '--threads', '0'], /--threads.*0/],
  [['generate', 'MODEL', '--prompt', 'a', '--system', 's'], /--system/],
  [['compress', 'MODEL'], /--out/],
  [['compress', 'MODEL', '-o', 'MODEL'], /would replace/],
  [['compress', 'MODEL', '-o', 'OUT', '--scheme', 'int7'], /int7/],
  [['compress', 'MODEL', '-o', 'OUT', '--scheme', 'int4', '--recipe', 'r'], /--recipe/],
  [['eval', 'MODEL'], /--text/],
  [['inspect', 'MODEL', 'OTHER'], /OTHER/],
  [['bench', 'MODEL', '--trials', '0'], /--trials/],
];

for (const [words, named] of WRONG_CALLS) {
  test(`a wrong call: ${words.join(' ')}`, async ({ dir, model }) => {
    const real = words.map((word) => {
      if (word === 'OUT') return join(dir, 'out');
      return word === 'MODEL' ? model : word;
    });
    checkRefusal(await runCli(real), 2, named);
  });
}

test.run();
