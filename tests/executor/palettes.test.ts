// Palettes from a file to the core: memory as predicted, the values of the reference, damage named.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { PACKED_BYTES } from '../../assembly/op_layout.js';
import { compressModel, decompressModel } from '../../bindings/compress/index.js';
import { packedBytes } from '../../bindings/executor/wasm/packing.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { inspectModel, loadModel } from '../../bindings/index.js';
import { damaged } from '../support/damaged_file.js';
import { assertNearReference } from '../support/near_reference.js';
import { paletteWeight } from '../support/palettes.js';
import { raises } from '../support/raises.js';
import { product, TestRandom } from '../support/random.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ dir: string; model: string }>('palettes');
const DOWN = 'model.layers.1.mlp.down_proj';

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-palettes-'));
  const float = await writeTinyLlama(join(context.dir, 'float'));
  context.model = join(context.dir, 'small.safetensors');
  await compressModel(float, context.model, { scheme: 'palettize4' });
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

test('packed bytes are those that the kernel reads', () => {
  for (const { n, k } of product({ n: [1, 8, 16, 21], k: [32, 172] })) {
    const { packed } = paletteWeight({ n, k, scaleType: 'f16' }, new TestRandom(1));
    assert.is(packedBytes(paletteFormat(4), n, k), PACKED_BYTES + packed.length);
  }
});

test('inspect predicts what loading takes', async ({ model }) => {
  const { residentBytes, tensors } = await inspectModel(model, { threads: 1 });
  const loaded = await loadModel(model, { threads: 1 });
  assert.equal(residentBytes, loaded.memory);
  await loaded.dispose();
  const down = tensors.find(({ name }) => name === `${DOWN}.indices`)!;
  assert.equal([down.scheme, down.bits], ['palettize4', 4]);
  // 96 bytes a row, float16 scales, four tables.
  assert.is(down.bytes, 64 * (96 + 2) + 4 * 16);
  // Panels: 8 rows of the 300 x 64 embedding are 48 + 2 * 128 bytes.
  assert.ok(residentBytes.weights >= 38 * (48 + 256));
});

test('logits agree with float64, up to what int8 activations cost', async ({ model }) => {
  await assertNearReference(model);
});

test('entries of more than 7 bits are refused by table', async ({ model }) => {
  await damaged(model, `${DOWN}.lut`, 2 * 16 + 5, [64]);
  const parts = [`${DOWN}.lut`, 'table 2', 'entry 64', '-64 to 63'];
  await raises(() => loadModel(model), 'FORMAT', parts);
  await raises(() => loadModel(model, { device: 'reference' }), 'FORMAT', parts);
  await raises(() => decompressModel(model, `${model}-floats`), 'FORMAT', parts);
  await damaged(model, `${DOWN}.lut`, 2 * 16 + 5, [0xbf]);
  await raises(() => loadModel(model), 'FORMAT', ['entry -65']);
});

test('scales that are not finite are refused by row', async ({ model }) => {
  await damaged(model, `${DOWN}.channel_scale`, 2 * 37, [0x00, 0x7e]);
  await raises(() => loadModel(model), 'FORMAT', [`${DOWN}.channel_scale`, 'row 37']);
});

test('negative scales and negative zero are scales', async ({ model }) => {
  await damaged(model, `${DOWN}.channel_scale`, 2 * 37, [0x00, 0x80, 0x00, 0x90]);
  const loaded = await loadModel(model);
  const { tokens } = await loaded.complete([5, 6], { temperature: 0, maxTokens: 2 });
  assert.ok(tokens.length > 0);
  await loaded.dispose();
});

test.run();
