// Scales of two levels from a file to the core: the values of the reference, memory as predicted, damage named.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import { parseRecipe } from '../../bindings/compress/recipe.js';
import { inspectModel, loadModel } from '../../bindings/index.js';
import { damaged } from '../support/damaged_file.js';
import { assertNearReference } from '../support/near_reference.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ dir: string; float: string; model: string }>('two levels');
const DOWN = 'model.layers.1.mlp.down_proj';
const GLOBAL = {
  type: 'linear',
  dtype: 'int6',
  mode: 'linear',
  block_size: 32,
  scale_dtype: 'int8',
};

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-levels-'));
  context.float = await writeTinyLlama(join(context.dir, 'float'));
  context.model = join(context.dir, 'small.safetensors');
  await compressModel(context.float, context.model, { recipe: parseRecipe({ global: GLOBAL }) });
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

test('logits agree with float64, up to what int8 activations cost', ({ model }) =>
  assertNearReference(model));

test('inspect names them and predicts what loading takes', async ({ model }) => {
  const { residentBytes, tensors } = await inspectModel(model, { threads: 1 });
  const loaded = await loadModel(model, { threads: 1 });
  assert.equal(residentBytes, loaded.memory);
  await loaded.dispose();
  const down = tensors.find(({ name }) => name.startsWith(DOWN))!;
  assert.is(down.scheme, 'int6-asym-s8');
  // Of 172 weights a row: codes of 192; 6 counts and a step, of scales and of biases.
  assert.is(down.bytes, 64 * (144 + 2 * (6 + 2)));
});

test('steps that are not finite are refused by name and row', async ({ model }) => {
  await damaged(model, `${DOWN}.scale_steps`, 2 * 37, [0x00, 0x7c]);
  await raises(() => loadModel(model), 'FORMAT', [`${DOWN}.scale_steps`, 'row 37']);
});

test('a linear weight: its scales are named, not its codes', async ({ dir, float }) => {
  const model = join(dir, 'int4.safetensors');
  await compressModel(float, model, { scheme: 'int4' });
  await damaged(model, `${DOWN}.scales`, 2 * 6 * 37, [0x00, 0x7e]);
  await raises(() => loadModel(model), 'FORMAT', [`${DOWN}.scales has`, 'row 37']);
});

test.run();
