// Outliers from a float checkpoint through a file to the core: kept, predicted, computed with; damage is named.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import { assignSchemes, quantizationKeys } from '../../bindings/compress/output_tensor.js';
import { parseRecipe } from '../../bindings/compress/recipe.js';
import { inspectModel, loadModel } from '../../bindings/index.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { damaged } from '../support/damaged_file.js';
import { assertNearReference } from '../support/near_reference.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ dir: string; float: string; model: string }>('outliers');
const DOWN = 'model.layers.1.mlp.down_proj';
const K = 172;
const PLACES = [
  [3, 0],
  [3, 171],
  [40, 64],
] as const;

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-outliers-'));
  context.float = await writeTinyLlama(join(context.dir, 'float'));
  for (const [row, column] of PLACES) {
    const large = new Uint8Array(Float32Array.of(1.5).buffer);
    await damaged(
      join(context.float, 'model.safetensors'),
      `${DOWN}.weight`,
      4 * (row * K + column),
      large,
    );
  }
  context.model = join(context.dir, 'small.safetensors');
  await compressModel(context.float, context.model, { scheme: 'palettize4' });
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

test('they are in the file, and nowhere else', async ({ model }) => {
  const { residentBytes, tensors } = await inspectModel(model, { threads: 1 });
  const withThem = tensors.filter(({ scheme }) => scheme.endsWith('-outliers'));
  assert.equal(
    withThem.map(({ path }) => path),
    [DOWN],
  );
  // 96 bytes a row, float16 scales, four tables, 8 bytes an outlier.
  assert.is(withThem[0]!.bytes, 64 * (96 + 2) + 4 * 16 + 8 * PLACES.length);
  const loaded = await loadModel(model, { threads: 1 });
  assert.equal(residentBytes, loaded.memory);
  await loaded.dispose();

  const checkpoint = await openCheckpoint(model);
  const weight = checkpoint.weights.get(DOWN)!;
  assert.equal(weight.format.outliers, { count: PLACES.length });
  const rows = await readRows(weight, 3, 41);
  for (const [row, column] of PLACES) {
    assert.ok(Math.abs(rows[(row - 3) * K + column]! - 1.5) < 0.001, `${row}, ${column}`);
  }
  await checkpoint.close();
});

for (const words of [
  { type: 'palettize', nbits: 6, enable_per_channel_scale: true },
  { type: 'linear', dtype: 'int4', outlier_threshold: 3 },
  { type: 'linear', dtype: 'int3', activations: 'float', outlier_threshold: 3 },
]) {
  test(`${JSON.stringify(words)}: logits agree with float64`, async ({ dir, float }) => {
    const model = join(dir, 'other.safetensors');
    await compressModel(float, model, { recipe: parseRecipe({ global: words }) });
    await assertNearReference(model);
  });
}

test('MLX is told to read only what it can', async ({ float }) => {
  const checkpoint = await openCheckpoint(float);
  const keys = (more: object) => {
    const global = { type: 'linear', dtype: 'int4', mode: 'linear', ...more };
    const weights = [checkpoint.weights.get('model.layers.0.self_attn.q_proj')!];
    return Object.keys(quantizationKeys(assignSchemes(weights, parseRecipe({ global }))));
  };
  assert.equal(keys({}), ['quantization', 'quantization_config']);
  for (const more of [
    { outlier_threshold: 5 },
    { dtype: 'int1' },
    { block_size: 16 },
    { granularity: 'per_channel' },
    { scale_dtype: 'int8' },
    { activations: 'float' },
  ]) {
    assert.equal(keys(more), ['quantization_config'], JSON.stringify(more));
  }
  await checkpoint.close();
});

const DAMAGES: readonly [
  what: string,
  part: string,
  at: number,
  bytes: number[],
  words: string[],
][] = [
  ['a row that is not there', 'rows', 8, [64, 0, 0, 0], ['outlier_rows[2]', 'row 64', '64']],
  ['a column behind k', 'columns', 2, [K, 0], ['outlier_columns[1]', 'column 172', '172']],
  ['a place twice', 'columns', 2, [0, 0], ['outlier_rows[1]', 'row 3, column 0 behind row 3']],
  ['columns that descend', 'columns', 0, [171, 0, 170], ['row 3, column 170 behind']],
  [
    'rows that descend',
    'rows',
    8,
    [2, 0, 0, 0],
    ['outlier_rows[2]', 'row 2, column 64 behind row 3'],
  ],
  ['infinity', 'values', 4, [0, 0x7c], ['outlier_values[2]', 'Infinity']],
  ['NaN', 'values', 4, [1, 0xfe], ['outlier_values[2]', 'NaN']],
];

for (const [what, part, at, bytes, words] of DAMAGES) {
  test(`${what} is refused by name`, async ({ model }) => {
    await damaged(model, `${DOWN}.outlier_${part}`, at, bytes);
    await raises(() => loadModel(model), 'FORMAT', [DOWN, ...words]);
    await raises(() => loadModel(model, { device: 'reference' }), 'FORMAT', [DOWN, ...words]);
  });
}

/** The file with its header changed by text of the same length. */
async function renamed(file: string, from: string, to: string): Promise<void> {
  assert.is(from.length, to.length);
  const data = await readFile(file);
  const at = data.indexOf(from);
  assert.ok(at >= 0);
  data.write(to, at);
  await writeFile(file, data);
}

const SUFFIXES = ['rows', 'columns', 'values'];

for (const suffix of SUFFIXES) {
  test(`outliers without ${suffix} are refused by name`, async ({ model }) => {
    await renamed(
      model,
      `${DOWN}.outlier_${suffix}`,
      `${DOWN}.outlier_${'x'.repeat(suffix.length)}`,
    );
    await raises(() => loadModel(model), 'FORMAT', [DOWN]);
  });
}

test('parts of different lengths are refused with both', async ({ model }) => {
  await renamed(
    model,
    'outlier_rows":{"dtype":"U32","shape":[3]',
    'outlier_rows":{"dtype":"U16","shape":[6]',
  );
  await raises(() => loadModel(model), 'FORMAT', ['outlier_rows', 'U16 [6]', 'U32 [3]']);
});

test.run();
