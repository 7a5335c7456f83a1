import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import { parseRecipe } from '../../bindings/compress/recipe.js';
import {
  FormatError,
  HalfbyteError,
  OptionError,
  SourceError,
  UnsupportedError,
} from '../../bindings/errors.js';
import { formatName } from '../../bindings/formats/codecs.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import {
  encodeFloats,
  safetensorsBytes,
  tinyLlama,
  writeTinyLlama,
} from '../support/tiny_model.js';

const test = suite<{ dir: string; model: string }>('compress');

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-compress-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'));
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

/** Every row of every weight, by path. */
async function allRows(location: string) {
  const checkpoint = await openCheckpoint(location, {});
  const formats = new Map<string, string>();
  const rows = new Map<string, Float64Array>();
  for (const [path, weight] of checkpoint.weights) {
    formats.set(path, formatName(weight.format));
    rows.set(path, await readRows(weight, 0, weight.shape[0]!));
  }
  await checkpoint.close();
  return { formats, rows, checkpoint };
}

async function refusal(run: Promise<unknown>): Promise<HalfbyteError> {
  const error = await run.then(
    () => null,
    (reason) => reason,
  );
  assert.instance(error, HalfbyteError);
  return error;
}

const NORM = 'model.layers.0.input_layernorm';
const DOWN = 'model.layers.1.mlp.down_proj';

for (const scheme of ['int8', 'int4', 'int4-asym', 'palettize4']) {
  for (const out of ['out', 'out.safetensors']) {
    test(`${scheme} to ${out} and back`, async ({ dir, model }) => {
      const result = await compressModel(model, join(dir, out), { scheme });
      const [source, small] = [await allRows(model), await allRows(join(dir, out))];
      assert.equal([...small.rows.keys()], [...source.rows.keys()], 'order');
      assert.is(small.checkpoint.fileBytes, result.fileBytes);
      const { texts } = source.checkpoint;
      const tokenizer = JSON.stringify(JSON.parse(texts.tokenizer!));
      assert.equal(small.checkpoint.texts, { ...texts, tokenizer });
      assert.equal(small.checkpoint.config, source.checkpoint.config);
      assert.equal(small.rows.get(NORM), source.rows.get(NORM));
      for (const [path, values] of source.rows) {
        assert.is(small.formats.get(path), path.includes('norm') ? 'f32' : scheme);
        const error = values.reduce((sum, x, i) => sum + (x - small.rows.get(path)![i]!) ** 2, 0);
        const power = values.reduce((sum, x) => sum + x * x, 0);
        assert.ok(error / power < (scheme === 'int8' ? 1e-4 : 1e-2), `${path}: ${error / power}`);
      }
      const leftOver = (await readdir(dir)).sort();
      assert.equal(leftOver, ['model', out]);
    });
  }
}

test('the layout of a padded tensor is as documented', async ({ dir, model }) => {
  const out = join(dir, 'out');
  await compressModel(model, out, { scheme: 'int4' });
  const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
  assert.is(config.quantization, undefined);
  assert.is(config.hidden_size, 64);
  assert.is(config.quantization_config.quant_method, 'halfbyte');
  assert.equal(config.quantization_config.tensors[DOWN], {
    type: 'linear',
    bits: 4,
    group_size: 32,
    symmetric: true,
    in_features: 172,
  });
  const file = await readFile(join(out, 'model.safetensors'));
  const headerBytes = Number(file.readBigUInt64LE(0));
  assert.is(headerBytes % 8, 0);
  const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes));
  assert.equal(header[`${DOWN}.weight`].shape, [64, 24]);
  assert.is(header[`${DOWN}.weight`].dtype, 'U32');
  assert.equal(header[`${DOWN}.scales`].shape, [64, 6]);
  assert.is(header[`${DOWN}.scales`].dtype, 'F16');
  assert.is(header[`${DOWN}.biases`], undefined);
});

test('the layout of a palette is as documented', async ({ dir, model }) => {
  const out = join(dir, 'out');
  await compressModel(model, out, { scheme: 'palettize4' });
  const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
  assert.equal(config.quantization_config.tensors[DOWN], {
    type: 'palettize',
    bits: 4,
    granularity: 'per_grouped_channel',
    group_size: 16,
    enable_per_channel_scale: true,
    in_features: 172,
  });
  const file = await readFile(join(out, 'model.safetensors'));
  const header = JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0))));
  const entry = (name: string) => {
    const { dtype, shape } = header[name];
    return [dtype, ...shape];
  };
  assert.equal(entry(`${DOWN}.indices`), ['U8', 64, 96]);
  assert.equal(entry(`${DOWN}.channel_scale`), ['F16', 64]);
  assert.equal(entry(`${DOWN}.lut`), ['I8', 4, 16]);
  assert.equal(entry('model.embed_tokens.lut'), ['I8', 19, 16]);
  assert.is(header[`${DOWN}.weight`], undefined);
});

test('float activations are stored with the tensor', async ({ dir, model }) => {
  const out = join(dir, 'out');
  const recipe = parseRecipe({ global: { type: 'linear', dtype: 'int4', activations: 'float' } });
  await compressModel(model, out, { recipe });
  const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
  assert.is(config.quantization_config.tensors[DOWN].activations, 'float');
  assert.is((await allRows(out)).formats.get(DOWN), 'int4-a32');
});

test("MLX's key is written where MLX would read the same weights, and only there", async ({
  dir,
}) => {
  const model = await writeTinyLlama(join(dir, 'whole'), { intermediateSize: 96 });
  const config = async (out: string, options: Parameters<typeof compressModel>[2]) => {
    await compressModel(model, join(dir, out), options);
    return JSON.parse(await readFile(join(dir, out, 'config.json'), 'utf8'));
  };
  const affine = await config('a', { scheme: 'int4-asym' });
  assert.equal(affine.quantization, { group_size: 32, bits: 4, mode: 'affine' });
  assert.equal(affine.quantization_config, affine.quantization);
  const symmetric = await config('b', { scheme: 'int4' });
  assert.is(symmetric.quantization, undefined);
  const linear = { type: 'linear', dtype: 'int4', mode: 'linear' };
  const mixed = await config('c', {
    recipe: parseRecipe({
      global: linear,
      overrides: [{ kind: 'embed', ...linear, dtype: 'int8' }],
    }),
  });
  assert.is(mixed.quantization, undefined);
  for (const unlike of [
    { granularity: 'per_channel' },
    { granularity: 'per_tensor' },
    { block_size: 16 },
    { activations: 'float' },
  ]) {
    const recipe = parseRecipe({ global: { ...linear, ...unlike } });
    const out = Object.keys(unlike).join() + Object.values(unlike).join();
    assert.is((await config(out, { recipe })).quantization, undefined, out);
  }
  const none = await config('d', { recipe: parseRecipe({ global: { type: 'none' } }) });
  assert.is(none.quantization_config, undefined);
});

test('a recipe chooses per tensor; what it leaves alone is copied bit for bit', async ({
  dir,
  model,
}) => {
  const recipe = parseRecipe({
    global: { type: 'linear', dtype: 'int4' },
    overrides: [
      { kind: 'embed', type: 'linear', dtype: 'int8' },
      { match: '*.layers.0.*', type: 'none' },
    ],
  });
  const out = join(dir, 'out');
  await compressModel(model, out, { recipe });
  const [source, small] = [await allRows(model), await allRows(out)];
  assert.is(small.formats.get('model.embed_tokens'), 'int8');
  assert.is(small.formats.get(DOWN), 'int4');
  assert.is(small.formats.get('model.layers.0.mlp.down_proj'), 'f32');
  const kept = 'model.layers.0.mlp.down_proj';
  assert.equal(small.rows.get(kept), source.rows.get(kept));
});

test('weight_threshold leaves small tensors alone', async ({ dir, model }) => {
  // [32, 64], [64, 64] and larger.
  for (const [threshold, small] of [
    [2047, 'int4'],
    [2048, 'f32'],
  ] as const) {
    const out = join(dir, `out-${threshold}`);
    const global = { type: 'linear', dtype: 'int4', weight_threshold: threshold };
    await compressModel(model, out, { recipe: parseRecipe({ global }) });
    const { formats } = await allRows(out);
    assert.is(formats.get('model.layers.0.self_attn.k_proj'), small);
    assert.is(formats.get('model.layers.0.self_attn.q_proj'), 'int4');
  }
});

for (const [what, override, message] of [
  ['no weight', { match: '*.layers.2.*' }, /overrides\[1\]: match "\*\.layers\.2\.\*" matches no/],
  ['no weight of a kind', { kind: 'head' }, /overrides\[1\]: kind "head" matches no weight/],
  ['vectors', { match: '*norm' }, /overrides\[1\]: match "\*norm" matches vectors only/],
] as const) {
  test(`an override that matches ${what} is refused by name`, async ({ dir, model }) => {
    const int8 = { type: 'linear', dtype: 'int8' };
    const recipe = parseRecipe({
      global: int8,
      overrides: [
        { match: '*norm', type: 'none' },
        { ...int8, ...override },
      ],
    });
    const error = await refusal(compressModel(model, join(dir, 'out'), { recipe }));
    assert.instance(error, OptionError);
    assert.match(error.message, message);
    assert.equal(await readdir(dir), ['model']);
  });
}

test("MLX's quantizer keeps the type of the weights for scales, Core ML's float32", async ({
  dir,
}) => {
  const model = await writeTinyLlama(join(dir, 'half'), { dtype: 'BF16', intermediateSize: 96 });
  const linear = { type: 'linear', dtype: 'int4', mode: 'linear' };
  for (const [fit, dtype] of [
    ['mlx', 'BF16'],
    ['coremltools', 'F32'],
  ] as const) {
    const out = join(dir, fit);
    await compressModel(model, out, { recipe: parseRecipe({ global: { ...linear, fit } }) });
    const file = await readFile(join(out, 'model.safetensors'));
    const header = JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE(0))));
    assert.is(header[`${DOWN}.scales`].dtype, dtype);
    assert.is(header[`${DOWN}.biases`].dtype, dtype);
    const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
    assert.equal(config.quantization, { group_size: 32, bits: 4, mode: 'affine' });
    const [source, small] = [await allRows(model), await allRows(out)];
    const [w, back] = [source.rows.get(DOWN)!, small.rows.get(DOWN)!];
    const error = w.reduce((sum, x, i) => sum + (x - back[i]!) ** 2, 0);
    assert.ok(error < 0.02 * w.reduce((sum, x) => sum + x * x, 0), `${fit}: ${error}`);
  }
});

test('half-precision sources keep their floats; untied heads are compressed', async ({ dir }) => {
  for (const dtype of ['F16', 'BF16'] as const) {
    const model = await writeTinyLlama(join(dir, dtype), { dtype, tied: false });
    const out = join(dir, `${dtype}-out`);
    await compressModel(model, out, { scheme: 'int8' });
    const [source, small] = [await allRows(model), await allRows(out)];
    assert.is(small.formats.get(NORM), dtype.toLowerCase());
    assert.is(small.formats.get('lm_head'), 'int8');
    assert.equal(small.rows.get(NORM), source.rows.get(NORM));
  }
});

test('the same source gives the same bytes', async ({ dir, model }) => {
  const files: Buffer[] = [];
  for (const out of ['a.safetensors', 'b.safetensors']) {
    await compressModel(model, join(dir, out), { scheme: 'int4' });
    files.push(await readFile(join(dir, out)));
  }
  assert.ok(files[0]!.equals(files[1]!));
});

test('progress counts every weight', async ({ dir, model }) => {
  const seen: number[] = [];
  const { parameters } = await compressModel(model, join(dir, 'out'), {
    scheme: 'int4',
    onProgress: ({ done, total }) => seen.push(done / total),
  });
  assert.is(seen.at(-1), 1);
  assert.is(parameters, 300 * 64 + 2 * (64 * 64 * 2 + 32 * 64 * 2 + 172 * 64 * 3 + 128) + 64);
});

test('an abort leaves nothing behind', async ({ dir, model }) => {
  for (const out of ['out', 'out.safetensors']) {
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = ({ done, total }: { done: number; total: number }) => {
      if (done > total / 2) controller.abort(reason);
    };
    const { signal } = controller;
    const error = await compressModel(model, join(dir, out), {
      scheme: 'int4',
      signal,
      onProgress,
    }).then(
      () => null,
      (caught) => caught,
    );
    assert.is(error, reason);
    assert.equal(await readdir(dir), ['model']);
  }
});

test('an OUT that exists is refused, and replaced with force', async ({ dir, model }) => {
  for (const out of ['out', 'out.safetensors']) {
    const path = join(dir, out);
    await compressModel(model, path, { scheme: 'int4' });
    const error = await refusal(compressModel(model, path, { scheme: 'int8' }));
    assert.instance(error, OptionError);
    assert.match(error.message, 'exists');
    assert.is((await allRows(path)).formats.get(DOWN), 'int4');
    await compressModel(model, path, { scheme: 'int8', force: true });
    assert.is((await allRows(path)).formats.get(DOWN), 'int8');
  }
  assert.equal((await readdir(dir)).sort(), ['model', 'out', 'out.safetensors']);
});

test('a failure with force leaves the old OUT as it was', async ({ dir, model }) => {
  const out = join(dir, 'out');
  await compressModel(model, out, { scheme: 'int4' });
  await damage(model, NaN);
  const error = await refusal(compressModel(model, out, { scheme: 'int8', force: true }));
  assert.instance(error, FormatError);
  assert.is((await allRows(out)).formats.get(DOWN), 'int4');
  assert.equal((await readdir(dir)).sort(), ['model', 'out']);
});

test('an empty directory is filled; other directories are never replaced', async ({
  dir,
  model,
}) => {
  const out = join(dir, 'out');
  await mkdir(out);
  await compressModel(model, out, { scheme: 'int4' });
  await writeFile(join(out, 'notes.txt'), 'mine');
  const loss = await refusal(compressModel(model, out, { scheme: 'int4', force: true }));
  assert.instance(loss, OptionError);
  assert.match(loss.message, 'notes.txt');
  assert.is(await readFile(join(out, 'notes.txt'), 'utf8'), 'mine');
  await rm(join(out, 'config.json'));
  const error = await refusal(compressModel(model, out, { scheme: 'int4', force: true }));
  assert.instance(error, OptionError);
  assert.match(error.message, 'config.json');
});

test('OUT may not replace its source', async ({ dir, model }) => {
  for (const out of [model, `${model}/`, dir, join(model, 'model.safetensors')]) {
    const error = await refusal(compressModel(model, out, { scheme: 'int4', force: true }));
    assert.instance(error, OptionError);
    assert.match(error.message, 'would replace');
  }
});

test('an OUT that cannot be written is a SourceError that names it', async ({ dir, model }) => {
  await writeFile(join(dir, 'file'), '');
  for (const out of ['file/out', 'file/deep/out.safetensors']) {
    const error = await refusal(compressModel(model, join(dir, out), { scheme: 'int4' }));
    assert.instance(error, SourceError);
    assert.match(error.message, 'file');
  }
});

test('directories above OUT are made', async ({ dir, model }) => {
  await compressModel(model, join(dir, 'new/deep/out'), { scheme: 'int4' });
  assert.equal(await readdir(join(dir, 'new/deep')), ['out']);
});

// Root may write anywhere but there.
if (process.platform === 'linux') {
  for (const out of ['/proc/out', '/proc/deep/out', '/proc/out.safetensors']) {
    test(`no permission to write ${out}`, async ({ model }) => {
      const error = await refusal(compressModel(model, out, { scheme: 'int4' }));
      assert.instance(error, SourceError);
      assert.match(error.message, '/proc');
    });
  }
}

test('a compressed source is refused by name', async ({ dir, model }) => {
  await compressModel(model, join(dir, 'small'), { scheme: 'int4' });
  const error = await refusal(
    compressModel(join(dir, 'small'), join(dir, 'out'), { scheme: 'int8' }),
  );
  assert.instance(error, UnsupportedError);
  assert.match(error.message, 'model.embed_tokens');
});

/** Overwrites one element of the model's down projection. */
async function damage(model: string, value: number): Promise<void> {
  const { tensors } = tinyLlama();
  tensors.get(`${DOWN}.weight`)!.values[172 * 3 + 7] = value;
  const stored = [...tensors].map(([name, { shape, values }]) => {
    return { name, dtype: 'F32', shape, bytes: encodeFloats('F32', values) };
  });
  await writeFile(join(model, 'model.safetensors'), safetensorsBytes(stored));
}

for (const value of [Number.NaN, Number.NEGATIVE_INFINITY]) {
  test(`a weight of ${value} is refused by name and index`, async ({ dir, model }) => {
    await damage(model, value);
    const error = await refusal(compressModel(model, join(dir, 'out'), { scheme: 'int4' }));
    assert.instance(error, FormatError);
    assert.match(error.message, `${DOWN}.weight[3, 7]`);
    assert.match(error.message, `${value}`);
    assert.equal(await readdir(dir), ['model']);
  });
}

test('tiny weights get float32 scales', async ({ dir }) => {
  const { config, tensors } = tinyLlama();
  const model = join(dir, 'tiny');
  await mkdir(model);
  await writeFile(join(model, 'config.json'), JSON.stringify(config));
  tensors.get(`${DOWN}.weight`)!.values.forEach((x, i, all) => {
    all[i] = x * 1e-9;
  });
  const stored = [...tensors].map(([name, { shape, values }]) => {
    return { name, dtype: 'F32', shape, bytes: encodeFloats('F32', values) };
  });
  await writeFile(join(model, 'model.safetensors'), safetensorsBytes(stored));
  await compressModel(model, join(dir, 'out'), { scheme: 'int4-asym' });
  const checkpoint = await openCheckpoint(join(dir, 'out'), {});
  const scaleType = (path: string) => checkpoint.weights.get(path)!.format.scale?.dtype;
  assert.is(scaleType(DOWN), 'f32');
  assert.is(scaleType('model.layers.0.mlp.down_proj'), 'f16');
  await checkpoint.close();
});

test.run();
