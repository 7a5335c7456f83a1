// Compressed checkpoints as floats again: the values that the codec reads, and everything beside them.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel, decompressModel, parseRecipe } from '../../bindings/compress/index.js';
import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../bindings/formats/float16.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { raises } from '../support/raises.js';
import { encodeFloats, safetensorsBytes, writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ dir: string; model: string }>('decompress');

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-decompress-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'));
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

const ROUND = {
  f32: Math.fround,
  f16: (x: number) => f16ToF32(f32ToF16(x)),
  bf16: (x: number) => bf16ToF32(f32ToBf16(x)),
};

/** Every row of every weight, by path, and the names of their types. */
async function allRows(location: string) {
  const checkpoint = await openCheckpoint(location, {});
  const rows = new Map<string, Float64Array>();
  const types = new Set<string | undefined>();
  for (const [path, weight] of checkpoint.weights) {
    types.add(weight.format.float);
    rows.set(path, await readRows(weight, 0, weight.shape[0]!));
  }
  await checkpoint.close();
  return { rows, types, config: checkpoint.config };
}

/** The JSON header of a safetensors file. */
async function header(path: string) {
  const file = await readFile(path);
  return JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0))));
}

const MIXED = parseRecipe({
  global: { type: 'linear', dtype: 'int3' },
  overrides: [
    { kind: 'mlp', type: 'palettize', nbits: 4, granularity: 'per_grouped_channel' },
    { kind: 'embed', type: 'linear', dtype: 'int8', mode: 'linear', granularity: 'per_channel' },
    { match: '*v_proj', type: 'none' },
  ],
});

for (const [name, choice] of [
  ["MLX's", { scheme: 'int4-asym' }],
  ['ours, mixed', { recipe: MIXED }],
] as const) {
  for (const dtype of ['f32', 'f16', 'bf16'] as const) {
    for (const out of ['out', 'out.safetensors']) {
      test(`${name} as ${dtype} to ${out}`, async ({ dir, model }) => {
        const packed = join(dir, 'packed');
        await compressModel(model, packed, choice);
        const before = await allRows(packed);
        const path = join(dir, out);
        const result = await decompressModel(packed, path, { dtype });
        const after = await allRows(path);
        assert.equal([...after.types], [dtype]);
        assert.equal(after.config, before.config);
        assert.equal([...after.rows.keys()], [...before.rows.keys()]);
        let rounded = 0;
        for (const [path, values] of before.rows) {
          assert.equal(after.rows.get(path), values.map(ROUND[dtype]), path);
          for (const x of values) if (ROUND[dtype](x) !== Math.fround(x)) rounded++;
        }
        assert.is(result.rounded, rounded);
        assert.is(rounded > 0, dtype !== 'f32');
        assert.is(result.bitsPerWeight, dtype === 'f32' ? 32 : 16);
      });
    }
  }
}

test('config.json says nothing of quantization, the type is the new one, texts are kept', async ({
  dir,
  model,
}) => {
  const packed = join(dir, 'packed');
  const out = join(dir, 'out');
  await writeFile(join(model, 'chat_template.jinja'), 'a {{ template }}');
  await compressModel(model, packed, { scheme: 'int4-asym' });
  await decompressModel(packed, out, { dtype: 'bf16' });
  const json = async (folder: string, name: string) =>
    JSON.parse(await readFile(join(folder, name), 'utf8'));
  const expected = { ...(await json(model, 'config.json')), torch_dtype: 'bfloat16' };
  assert.equal(await json(out, 'config.json'), expected);
  const names = (await readdir(model)).sort();
  assert.equal((await readdir(out)).sort(), names);
  for (const name of names.filter((name) => /tokenizer|generation/.test(name))) {
    assert.equal(await json(out, name), await json(model, name), name);
  }
  assert.is(await readFile(join(out, 'chat_template.jinja'), 'utf8'), 'a {{ template }}');
  const { __metadata__ } = await header(join(out, 'model.safetensors'));
  assert.equal(__metadata__, { format: 'pt' });
  const tensors = async (folder: string) =>
    Object.keys(await header(join(folder, 'model.safetensors'))).sort();
  assert.equal(await tensors(out), await tensors(model));
});

test('floats that were kept come back bit for bit', async ({ dir }) => {
  for (const [dtype, type] of [
    ['F32', 'f32'],
    ['F16', 'f16'],
    ['BF16', 'bf16'],
  ] as const) {
    const model = await writeTinyLlama(join(dir, dtype), { dtype });
    const recipe = parseRecipe({
      global: { type: 'none' },
      overrides: [{ kind: 'embed', type: 'linear', dtype: 'int8' }],
    });
    await compressModel(model, join(dir, `${dtype}-packed`), { recipe });
    const out = join(dir, `${dtype}-out`);
    await decompressModel(join(dir, `${dtype}-packed`), out, { dtype: type });
    const [source, result] = [await allRows(model), await allRows(out)];
    for (const [path, values] of source.rows) {
      if (path !== 'model.embed_tokens') assert.equal(result.rows.get(path), values, path);
    }
  }
});

test('a value beyond float16 is refused by name, and nothing is left', async ({ dir, model }) => {
  const packed = join(dir, 'packed');
  const file = join(packed, 'model.safetensors');
  await compressModel(model, packed, { scheme: 'int8' });
  const checkpoint = await openCheckpoint(packed, {});
  const stored: { name: string; dtype: string; shape: readonly number[]; bytes: Uint8Array }[] = [];
  for (const { path, parts } of checkpoint.weights.values()) {
    for (const { name, dtype, shape, source, offset, bytes: length } of parts) {
      const bytes = new Uint8Array(length);
      await source.read(offset, bytes);
      if (path === 'model.norm') bytes.set(encodeFloats('F32', Float32Array.of(1, 70000)));
      // A codec calls a vector a column.
      stored.push({ name, dtype, shape: /norm/.test(path) ? [length / 4] : shape, bytes });
    }
  }
  await checkpoint.close();
  await writeFile(file, safetensorsBytes(stored));
  const before = (await readdir(dir)).sort();
  const out = join(dir, 'out');
  const decompress = (dtype: 'f16' | 'bf16') => decompressModel(packed, out, { dtype });
  await raises(() => decompress('f16'), 'FORMAT', [file, 'model.norm.weight[1]', 70000, 'f16']);
  assert.equal((await readdir(dir)).sort(), before);
  await decompress('bf16');
});

test('progress, abort, and what is refused', async ({ dir, model }) => {
  const packed = join(dir, 'packed');
  await compressModel(model, packed, { scheme: 'int4' });
  const before = (await readdir(dir)).sort();
  const out = join(dir, 'out');
  const controller = new AbortController();
  const seen: number[] = [];
  const stopped = await decompressModel(packed, out, {
    signal: controller.signal,
    onProgress: ({ stage, done }) => {
      assert.is(stage, 'decompress');
      seen.push(done);
      if (seen.length === 3) controller.abort(new Error('enough'));
    },
  }).catch((error: Error) => error.message);
  assert.is(stopped, 'enough');
  assert.is(seen.length, 3);
  assert.equal((await readdir(dir)).sort(), before);
  await raises(() => decompressModel(model, out), 'UNSUPPORTED', [model, 'floats already']);
  await raises(() => decompressModel(packed, packed, { force: true }), 'OPTION', ['would replace']);
  await raises(() => decompressModel(packed, out, { dtype: 'f64' as 'f32' }), 'OPTION', ['f64']);
  await mkdir(out);
  await writeFile(join(out, 'notes.txt'), 'theirs');
  await raises(() => decompressModel(packed, out, { force: true }), 'OPTION', ['config.json']);
  assert.equal(await readdir(out), ['notes.txt']);
});

test.run();
