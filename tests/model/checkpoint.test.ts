import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import { loadModel } from '../../bindings/load.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { checkTiedHead } from '../../bindings/model/tied_head.js';
import { raises } from '../support/raises.js';
import { sharedModel } from '../support/shared_models.js';
import {
  encodeFloats,
  safetensorsBytes,
  type TinyOptions,
  tinyLlama,
  writeTinyLlama,
} from '../support/tiny_model.js';

const test = suite<{ dir: string }>('checkpoint');

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-checkpoint-'));
});
test.after.each(({ dir }) => rm(dir, { recursive: true }));

async function open(location: string): Promise<void> {
  await (await openCheckpoint(location)).close();
}

function tinyTensors(options: Partial<TinyOptions> = {}) {
  return [...tinyLlama(options).tensors].map(([name, { shape, values }]) => {
    return { name, dtype: 'F32', shape, bytes: encodeFloats('F32', values) };
  });
}

const EMBED = 'model.embed_tokens';

/** What a path, a URL or a terminal takes for more than a name. */
const NO_NAMES = [
  'http:evil.example:8080?.safetensors',
  'file:a.safetensors',
  'a?.safetensors',
  'a#.safetensors',
  '%2e%2e%2fa.safetensors',
  '..\\a.safetensors',
  'C:a.safetensors',
  '/a.safetensors',
  './a.safetensors',
  '.safetensors',
  '..safetensors',
  ' a.safetensors',
  'a\n.safetensors',
  'a\0.safetensors',
  'a\u202e.safetensors',
  'a\uff0fb.safetensors',
  'a.safetensors?',
  'a.safetensors/',
  'a.bin',
];

for (const dtype of ['F32', 'F16', 'BF16'] as const) {
  test(`a directory, ${dtype}: every weight as it was written`, async ({ dir }) => {
    const model = await writeTinyLlama(dir, { dtype, tied: false });
    const { tensors } = tinyLlama({ dtype, tied: false });
    const checkpoint = await openCheckpoint(model);
    assert.is(checkpoint.weights.size, tensors.size);
    assert.is(checkpoint.fileBytes, (await readFile(join(dir, 'model.safetensors'))).length);
    assert.is(checkpoint.config.vocabSize, 300);
    assert.is(checkpoint.texts.chatTemplate, null);
    assert.ok(checkpoint.texts.tokenizer?.includes('vocab'));
    for (const [path, weight] of checkpoint.weights) {
      const { shape, values } = tensors.get(`${path}.weight`)!;
      assert.equal(weight.shape, shape);
      const rows = await readRows(weight, 0, shape[0]!);
      assert.equal([...rows], [...values], path);
    }
    await checkpoint.close();
    await checkpoint.close();
  });
}

test('a slash at the end, and a template beside', async ({ dir }) => {
  await writeTinyLlama(dir);
  await writeFile(join(dir, 'chat_template.jinja'), '{{ messages }}');
  const checkpoint = await openCheckpoint(`${dir}/`);
  assert.is(checkpoint.texts.chatTemplate, '{{ messages }}');
  await checkpoint.close();
});

test('shards, and what the index and they must agree on', async ({ dir }) => {
  await writeTinyLlama(dir);
  await rm(join(dir, 'model.safetensors'));
  const tensors = tinyTensors();
  const files = { 'a.safetensors': tensors.slice(0, 5), 'b.safetensors': tensors.slice(5) };
  const placed: Record<string, string> = {};
  for (const [file, part] of Object.entries(files)) {
    await writeFile(join(dir, file), safetensorsBytes(part));
    for (const { name } of part) placed[name] = file;
  }
  const index = join(dir, 'model.safetensors.index.json');
  const place = (change: object) =>
    writeFile(index, JSON.stringify({ weight_map: { ...placed, ...change } }));
  await place({});
  const checkpoint = await openCheckpoint(dir);
  assert.is(checkpoint.weights.size, tensors.length);
  await readRows(checkpoint.weights.get('model.norm')!, 0, 64);
  await checkpoint.close();

  const embed = `${EMBED}.weight`;
  await place({ [embed]: 'b.safetensors' });
  await raises(() => open(dir), 'FORMAT', [embed, 'b.safetensors', 'missing']);
  await place({ [embed]: 'c.safetensors' });
  await raises(() => open(dir), 'SOURCE', ['index.json', 'c.safetensors', 'missing']);
  await place({ 'model.more.weight': 'b.safetensors' });
  await raises(() => open(dir), 'FORMAT', ['model.more.weight', 'b.safetensors', 'missing']);
  await place({ [embed]: '../a.safetensors' });
  await raises(() => open(dir), 'FORMAT', [embed, '../a.safetensors', 'beside']);
  for (const name of NO_NAMES) {
    await place({ [embed]: name });
    await raises(() => open(dir), 'FORMAT', [embed, 'beside'], name);
  }
  await writeFile(
    index,
    `{"weight_map": {"${embed}": "b.safetensors", "${embed}": "a.safetensors"}}`,
  );
  await raises(() => open(dir), 'FORMAT', ['index.json', embed, 'twice']);
  await place({ [embed]: 4 });
  await raises(() => open(dir), 'FORMAT', [embed, 'string', 4]);
  await writeFile(index, '{}');
  await raises(() => open(dir), 'FORMAT', ['index.json', 'weight_map', 'nothing']);
  await writeFile(index, 'shards');
  await raises(() => open(dir), 'FORMAT', ['index.json', 'JSON', 6]);
});

test('one file that carries its texts', async ({ dir }) => {
  const file = join(dir, 'model.safetensors');
  const { config } = tinyLlama();
  const metadata = { config: JSON.stringify(config), tokenizer: '{"a":1}', chat_template: 'hi' };
  await writeFile(file, safetensorsBytes(tinyTensors(), metadata));
  // What lies beside a file that has its own config belongs to another model.
  await writeFile(join(dir, 'generation_config.json'), '{"eos_token_id": 9}');
  const checkpoint = await openCheckpoint(file);
  assert.equal(checkpoint.texts, {
    tokenizer: '{"a":1}',
    tokenizerConfig: null,
    generationConfig: null,
    chatTemplate: 'hi',
  });
  assert.equal(checkpoint.config.eosTokenIds, [2]);
  assert.is(checkpoint.rawConfig.hidden_size, 64);
  await checkpoint.close();
});

test('one file with its texts beside it, or without any', async ({ dir }) => {
  await writeTinyLlama(dir);
  const file = join(dir, 'model.safetensors');
  const checkpoint = await openCheckpoint(file);
  assert.ok(checkpoint.texts.tokenizer?.includes('vocab'));
  await checkpoint.close();
  await rm(join(dir, 'config.json'));
  await raises(() => open(file), 'FORMAT', [file, 'not a model', 'config']);
});

test('what is missing, and what is no model', async ({ dir }) => {
  await raises(() => open(join(dir, 'none')), 'SOURCE', ['none', 'no such']);
  await raises(() => open(dir), 'SOURCE', [dir, 'config.json is missing']);
  await writeFile(join(dir, 'model.txt'), '');
  await raises(() => open(join(dir, 'model.txt')), 'FORMAT', ['model.txt', '.safetensors']);
  await writeTinyLlama(dir);
  await rm(join(dir, 'model.safetensors'));
  await raises(() => open(dir), 'SOURCE', [dir, 'model.safetensors']);
  await writeTinyLlama(dir);
  await writeFile(join(dir, 'config.json'), 'config');
  await raises(() => open(dir), 'FORMAT', ['config.json', 'JSON', 6]);
  await rm(join(dir, 'config.json'));
  await mkdir(join(dir, 'config.json'));
  await raises(() => open(dir), 'SOURCE', ['config.json']);
});

test('a damaged file of weights', async ({ dir }) => {
  await writeTinyLlama(dir);
  const file = join(dir, 'model.safetensors');
  const whole = await readFile(file);
  for (const [length, part] of [
    [0, '0 bytes'],
    [100, 'header of'],
    [whole.length - 1, 'model.norm.weight'],
  ] as const) {
    await writeFile(file, whole.subarray(0, length));
    await raises(() => open(dir), 'FORMAT', [file, part], `${length} bytes`);
  }
});

test('an abort before and while opening throws its reason', async ({ dir }) => {
  await writeTinyLlama(dir);
  const reason = new Error('enough');
  const controller = new AbortController();
  const opening = openCheckpoint(dir, { signal: controller.signal });
  controller.abort(reason);
  assert.is(await opening.catch((thrown) => thrown), reason);
  const aborted = openCheckpoint(dir, { signal: controller.signal });
  assert.is(await aborted.catch((thrown) => thrown), reason);
});

/** A tied model whose file has these tensors too. */
async function writeWith(dir: string, ...more: ReturnType<typeof tinyTensors>): Promise<number> {
  await writeTinyLlama(dir);
  const tensors = [...tinyTensors(), ...more];
  await writeFile(join(dir, 'model.safetensors'), safetensorsBytes(tensors));
  return tensors.length;
}

/** The embedding, stored once more as the head. */
function copiedHead() {
  const embedding = tinyTensors().find(({ name }) => name === `${EMBED}.weight`)!;
  return { ...embedding, name: 'lm_head.weight' };
}

test('tensors that are known to be harmless', async ({ dir }) => {
  const frequencies = {
    name: 'model.layers.0.self_attn.rotary_emb.inv_freq',
    dtype: 'F32',
    shape: [8],
    bytes: new Uint8Array(32),
  };
  const count = await writeWith(dir, copiedHead(), frequencies);
  const checkpoint = await openCheckpoint(dir);
  assert.is(checkpoint.weights.size, count - 2);
  await checkTiedHead(checkpoint);
  await checkpoint.close();
});

test('a tied head that is stored must be the embedding', async ({ dir }) => {
  const named = ['lm_head.weight', 'tie_word_embeddings', `${EMBED}.weight`];
  const load = async () => (await loadModel(dir)).dispose();
  const head = copiedHead();
  await writeWith(dir, head);
  await load();

  const bytes = head.bytes.slice();
  bytes[7 * 64 * 4 + 5]! ^= 1;
  await writeWith(dir, { ...head, bytes });
  await raises(load, 'FORMAT', [dir, ...named, 'row 7 of its codes differs']);
  const out = join(dir, 'out');
  await raises(() => compressModel(dir, out, { scheme: 'int8' }), 'FORMAT', [dir, ...named]);

  const half = { ...head, dtype: 'F16', bytes: bytes.subarray(0, bytes.length / 2) };
  await writeWith(dir, half);
  await raises(load, 'FORMAT', [dir, ...named, 'f16', 'not', 'f32']);
});

for (const [name, tensors] of [
  ['stories260K', 47],
  ['stories15M', 56],
  ['minimind2-small', 74],
] as const) {
  const dir = sharedModel(name);
  if (!dir) continue;
  test(`${name} opens`, async () => {
    const checkpoint = await openCheckpoint(dir);
    assert.is(checkpoint.weights.size, tensors);
    assert.equal(
      [...checkpoint.weights.values()].filter(({ shape }) => shape.length > 2),
      [],
    );
    await checkpoint.close();
  });
}

test.run();
