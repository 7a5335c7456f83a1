// A model that is compressed while it is loaded is the one that `compressModel` would have written.

import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel, compressor, parseRecipe } from '../../bindings/compress/index.js';
import { inspectModel, loadModel, type Model } from '../../bindings/index.js';
import * as client from '../../bindings/remote/client.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ dir: string; model: string }>('compressor');

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-compressor-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'));
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

const PROMPT = [1, 40, 7, 299, 12, 12];

async function logitsOf(model: Model): Promise<Float32Array> {
  const session = await model.createSession();
  return session.prefill(PROMPT);
}

const MIXED = parseRecipe({
  global: { type: 'linear', dtype: 'int3', granularity: 'per_tensor' },
  overrides: [
    { kind: 'mlp', type: 'palettize', nbits: 4, granularity: 'per_grouped_channel' },
    { match: '*v_proj', type: 'none' },
  ],
});

for (const [name, choice] of [
  ['int4', { scheme: 'int4' }],
  ['int4-asym', { scheme: 'int4-asym' }],
  ['palettize4', { scheme: 'palettize4' }],
  ['a mixed recipe', { recipe: MIXED }],
] as const) {
  for (const threads of [1, 2]) {
    test(`${name}, ${threads} threads: same logits, memory and texts`, async ({ dir, model }) => {
      await compressModel(model, join(dir, 'out'), choice);
      const written = await loadModel(join(dir, 'out'), { threads: 1 });
      const compress = compressor({ ...choice, threads });
      const made = await loadModel(model, { threads: 1, compress });
      const expected = await logitsOf(written);
      assert.ok(new Set(expected).size > 100);
      assert.equal(await logitsOf(made), expected);
      assert.equal(made.memory, written.memory);
      assert.is(made.location, model);
      assert.equal(made.tokenizer.encode('the hand'), written.tokenizer.encode('the hand'));
      await made.dispose();
      await written.dispose();
    });
  }
}

test('scales that float16 does not hold', async ({ dir }) => {
  const model = await writeTinyLlama(join(dir, 'tiny-values'));
  const file = join(model, 'model.safetensors');
  const bytes = await readFile(file);
  const begin = 8 + Number(bytes.readBigUInt64LE(0));
  // The first row of the embedding.
  for (let i = 0; i < 64; i++)
    bytes.writeFloatLE(bytes.readFloatLE(begin + 4 * i) * 1e-9, begin + 4 * i);
  await writeFile(file, bytes);
  await compressModel(model, join(dir, 'out'), { scheme: 'int4' });
  assert.ok(
    (await readFile(join(dir, 'out', 'model.safetensors'))).includes(
      '"dtype":"F32","shape":[300,2]',
    ),
  );
  const written = await loadModel(join(dir, 'out'), { threads: 1 });
  const made = await loadModel(model, { threads: 1, compress: compressor({ scheme: 'int4' }) });
  assert.equal(await logitsOf(made), await logitsOf(written));
  await made.dispose();
  await written.dispose();
});

test('progress, abort, nothing on the disk', async ({ dir, model }) => {
  const compress = compressor({ scheme: 'int4' });
  const stages = new Set<string>();
  const controller = new AbortController();
  const stopped = await loadModel(model, {
    compress,
    signal: controller.signal,
    onProgress: ({ stage, done, total }) => {
      stages.add(stage);
      if (stage === 'compress' && done > total / 2) controller.abort(new Error('enough'));
    },
  }).catch((error: Error) => error.message);
  assert.is(stopped, 'enough');
  assert.equal([...stages], ['compress']);
  const onProgress = ({ stage }: { stage: string }) => void stages.add(stage);
  await (await loadModel(model, { compress, onProgress })).dispose();
  assert.equal([...stages], ['compress', 'weights']);
  assert.equal(await readdir(dir), ['model']);
});

test('what is refused, by name', async ({ dir, model }) => {
  const compress = compressor({ scheme: 'int4' });
  await raises(() => compressor({ scheme: 'int5x' }), 'OPTION', ['int5x']);
  await raises(() => compressor({}), 'OPTION', ['either scheme or recipe']);
  await raises(() => compressor({ schem: 'int4' } as object), 'OPTION', ['scheme?']);
  const wrong = { compress: 'int4' as unknown as typeof compress };
  await raises(() => loadModel(model, wrong), 'OPTION', ['compress', 'compressor()', 'int4']);
  await raises(() => client.loadModel(model, { compress }), 'UNSUPPORTED', ['compress', 'worker']);
  const inspect = () => inspectModel(model, { compress } as object);
  await raises(inspect, 'UNSUPPORTED', ['[inspect] compress', 'planCompression']);
  await compressModel(model, join(dir, 'out'), { scheme: 'int4' });
  await raises(() => loadModel(join(dir, 'out'), { compress }), 'UNSUPPORTED', ['came 4-bit ones']);
});

test.run();
