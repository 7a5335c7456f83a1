// Palettes of floats and vectors, and the modes uniform, unique and custom.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import type { FittedStrip, Floats } from '../../bindings/compress/fit/fit.js';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { paletteFit } from '../../bindings/compress/fit/palettize.js';
import { parseRecipe, type Recipe } from '../../bindings/compress/recipe.js';
import { packBits } from '../../bindings/formats/bits.js';
import { codecOf, formatName } from '../../bindings/formats/codecs.js';
import { encodeFloats } from '../../bindings/formats/float_bytes.js';
import { type WeightFormat, withScaleType } from '../../bindings/formats/format.js';
import { encodeEntries } from '../../bindings/formats/lut_entry.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { raises } from '../support/raises.js';
import { normals, TestRandom } from '../support/random.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const core = await FitCore.load();
const GROUPS = { type: 'palettize', granularity: 'per_grouped_channel', group_size: 16 };
const TENSOR = { type: 'palettize', nbits: 4 };

interface Palettized {
  readonly strip: FittedStrip;
  readonly format: WeightFormat;
  /** [rows, k] */
  readonly values: Float64Array;
}

/** The weights as the recipe's scheme leaves them. */
function palettize(options: object, w: Floats, k: number): Palettized {
  const { global } = parseRecipe({ global: options });
  assert.ok(global.type === 'palettize');
  const { format: asked, tables } = global as Extract<typeof global, { format: unknown }>;
  const strip = paletteFit.run(w, k, asked, core, tables);
  const format = withScaleType(asked, strip.inHalf ? 'f16' : 'f32');
  const bytes = {
    codes: packBits(strip.codes, format.bits),
    scales: encodeFloats(strip.scales, format.scale?.dtype ?? 'f32'),
    lut: encodeEntries(strip.lut!, format.lut!.entry),
  };
  const values = codecOf(format).decode(format, bytes, 0, w.length / k, k);
  return { strip, format, values };
}

/** Root of the mean squared error, over that of the weights. */
function relativeError(back: Float64Array, w: ArrayLike<number>): number {
  let error = 0;
  let all = 0;
  for (let i = 0; i < back.length; i++) {
    error += (back[i]! - w[i]!) ** 2;
    all += w[i]! ** 2;
  }
  return Math.sqrt(error / all);
}

// The best 16 levels for a normal distribution leave 0.0974, the best 4 leave 0.3428 (Max, 1960); vectors of as many
// bits a weight leave less. What a table of as few weights does not learn of others is gained.
const BOUNDS: readonly [options: object, bound: number][] = [
  [{ ...GROUPS, nbits: 4, lut_dtype: 'float16' }, 0.1],
  [{ ...GROUPS, nbits: 2, lut_dtype: 'float32' }, 0.345],
  [{ ...TENSOR, lut_dtype: 'float16' }, 0.1],
  [{ ...GROUPS, nbits: 8, cluster_dim: 2, lut_dtype: 'float16' }, 0.0974],
  [{ ...GROUPS, nbits: 8, cluster_dim: 2 }, 0.0974],
  [{ ...TENSOR, nbits: 8, cluster_dim: 4 }, 0.335],
  [{ ...TENSOR, cluster_dim: 2, lut_dtype: 'float32' }, 0.345],
];

for (const [options, bound] of BOUNDS) {
  test(`k-means: ${JSON.stringify(options)}`, () => {
    const [rows, k] = [32, 512];
    const w = normals(rows * k, new TestRandom(3));
    const { values } = palettize(options, w, k);
    const error = relativeError(values, w);
    assert.ok(error < bound, `${error}`);
  });
}

for (const options of [
  { ...GROUPS, nbits: 4, lut_dtype: 'float16' },
  { ...GROUPS, nbits: 8, cluster_dim: 2 },
]) {
  test(`a scale per channel takes up rows of sizes apart: ${JSON.stringify(options)}`, () => {
    const [rows, k] = [32, 512];
    const w = normals(rows * k, new TestRandom(5)).map(
      (x, i) => x * 10 ** ((Math.floor(i / k) % 4) - 2),
    );
    const scaled = palettize({ ...options, enable_per_channel_scale: true }, w, k);
    for (let row = 0; row < rows; row++) {
      const part = scaled.values.slice(row * k, (row + 1) * k);
      assert.ok(relativeError(part, w.slice(row * k, (row + 1) * k)) < 0.13, `row ${row}`);
    }
    assert.is(scaled.format.scale!.rows, 1);
  });
}

test('every index of a float table is the nearest entry', () => {
  const [rows, k] = [16, 40];
  const w = normals(rows * k, new TestRandom(6));
  const { strip, values } = palettize({ ...GROUPS, nbits: 3, lut_dtype: 'float16' }, w, k);
  for (const [i, value] of w.entries()) {
    const least = Math.min(...[...strip.lut!].map((entry) => Math.abs(entry - value)));
    assert.is(Math.abs(values[i]! - value), least);
  }
});

test('few different values and zeros come back', () => {
  const [rows, k] = [16, 40];
  const few = Float32Array.from({ length: rows * k }, (_, i) => ((i * 7) % 5) / 8 - 0.25);
  for (const cluster_dim of [1, 2, 4]) {
    const options = { ...TENSOR, nbits: 8, lut_dtype: 'float16', cluster_dim };
    const zeros = new Float32Array(rows * k);
    assert.equal(palettize(options, few, k).values, Float64Array.from(few));
    assert.equal(palettize(options, zeros, k).values, new Float64Array(rows * k));
    const scaled = { ...options, enable_per_channel_scale: true };
    assert.equal(palettize(scaled, zeros, k).values, new Float64Array(rows * k));
    assert.equal(
      palettize({ ...TENSOR, cluster_dim }, zeros, k).values,
      new Float64Array(rows * k),
    );
  }
});

test('the same weights give the same bytes, whatever strip they come in', () => {
  const k = 40;
  const w = normals(48 * k, new TestRandom(9));
  const options = { ...GROUPS, nbits: 4, cluster_dim: 2, lut_dtype: 'float16' };
  const whole = palettize(options, w, k).strip;
  const last = palettize(options, w.slice(32 * k), k).strip;
  assert.equal(whole.codes.slice(16 * 64), last.codes);
  assert.equal(whole.lut!.slice(2 * 16 * 2), last.lut);
});

test('unique: every weight comes back, ascending tables; float32 unless told', () => {
  const [rows, k] = [32, 40];
  const w = Float32Array.from({ length: rows * k }, (_, i) =>
    Math.fround(((i * 7) % 13) * 0.1 - 0.3),
  );
  const { strip, format, values } = palettize({ ...GROUPS, nbits: 4, mode: 'unique' }, w, k);
  assert.is(formatName(format), 'palettize4-float32-unscaled');
  assert.equal(values, Float64Array.from(w));
  const table = [...strip.lut!.slice(0, 16)];
  assert.equal(
    table.slice(0, 13),
    [...table.slice(0, 13)].sort((a, b) => a - b),
  );
  assert.equal(table.slice(13), [0, 0, 0]);
});

test('uniform: the extremes are entries, the others at equal distances', () => {
  const [rows, k] = [16, 64];
  const w = normals(rows * k, new TestRandom(10));
  const { strip } = palettize({ ...GROUPS, nbits: 4, mode: 'uniform', lut_dtype: 'float32' }, w, k);
  const table = [...strip.lut!];
  const [low, high] = [Math.min(...w), Math.max(...w)];
  assert.is(table[0], low);
  assert.ok(Math.abs(table[15]! - high) < 1e-6);
  table.forEach((entry, i) => {
    assert.ok(Math.abs(entry - (low + (i * (high - low)) / 15)) < 1e-6);
  });
  const equal = palettize({ ...TENSOR, mode: 'uniform', lut_dtype: 'float16' }, w.fill(0.25), k);
  assert.equal(equal.values, new Float64Array(rows * k).fill(0.25));
});

test('custom: tables as they were given, integers where they are', () => {
  const [rows, k] = [8, 64];
  const ternary = Float32Array.from({ length: rows * k }, (_, i) => ((i * 5) % 3) - 1);
  const options = { ...TENSOR, nbits: 2, mode: 'custom', lut: [-1, 0, 1] };
  const plain = palettize(options, ternary, k);
  assert.equal([...plain.strip.lut!], [-1, 0, 1, 1]);
  assert.is(plain.format.lut!.entry, 'i7');
  assert.equal([...plain.strip.scales], [1]);
  assert.equal(plain.values, Float64Array.from(ternary));
  const halved = ternary.map((value) => value * 0.375);
  const scaled = palettize({ ...options, enable_per_channel_scale: true }, halved, k);
  assert.equal(scaled.values, Float64Array.from(halved));
  const floats = palettize({ ...options, lut: [-0.5, 0.25, 0.75] }, ternary, k);
  assert.equal([floats.format.lut!.entry, floats.format.scale], ['f32', undefined]);
  assert.equal([...new Set(floats.values)].sort(), [-0.5, 0.25, 0.75]);
  const upsideDown = palettize(
    { ...options, lut: [0, 1, 2, 4], block_size: 32 },
    Float32Array.from({ length: rows * k }, (_, i) => -(i % 4 === 3 ? 4 : i % 4)),
    k,
  );
  assert.equal([...new Set(upsideDown.strip.scales)], [-1]);
});

test('nf4 and fp4 in blocks: values of their tables, errors as their levels allow', () => {
  const [rows, k] = [16, 256];
  const w = normals(rows * k, new TestRandom(12));
  const nf4 = palettize({ ...TENSOR, mode: 'custom', lut: 'nf4', block_size: 64 }, w, k);
  assert.is(formatName(nf4.format), 'palettize4-tensor-float32-b64');
  assert.is(nf4.strip.lut![15], 1);
  // Quantiles are not the levels of least error.
  assert.ok(relativeError(nf4.values, w) < 0.1, `${relativeError(nf4.values, w)}`);
  const fp4 = palettize({ ...TENSOR, mode: 'custom', lut: 'fp4', block_size: 32 }, w, k);
  assert.is(formatName(fp4.format), 'palettize4-tensor-b32');
  assert.is(fp4.format.lut!.entry, 'i7');
  assert.equal(
    [...fp4.strip.lut!.slice(1, 8)],
    [0.5, 1, 1.5, 2, 3, 4, 6].map((value) => 2 * value),
  );
  assert.ok(relativeError(fp4.values, w) < 0.12, `${relativeError(fp4.values, w)}`);
});

async function withModel(use: (model: string, dir: string) => Promise<void>): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), 'halfbyte-tables-'));
  try {
    await use(await writeTinyLlama(join(dir, 'model'), { intermediateSize: 170 }), dir);
  } finally {
    await rm(dir, { recursive: true });
  }
}

/** All to `palettize8`, but the weights of `kind` by these options. */
const only = (kind: string, options: object): Recipe =>
  parseRecipe({ overrides: [{ kind, ...options }] });

test('what does not fit a tensor is refused by its name', () =>
  withModel(async (model, dir) => {
    const out = join(dir, 'out');
    const refusals: [Recipe, string[]][] = [
      [only('mlp', { ...TENSOR, cluster_dim: 4 }), ['gate_proj', '170', 'cluster_dim 4']],
      [
        only('attention', { ...GROUPS, nbits: 4, mode: 'unique' }),
        ['self_attn.q_proj', '1024 different values', '2^4 = 16'],
      ],
      [
        only('mlp', { ...TENSOR, mode: 'custom', lut: 'nf4', block_size: 16 }),
        ['down_proj', '170', 'block_size 16'],
      ],
    ];
    for (const [recipe, parts] of refusals) {
      await raises(() => compressModel(model, out, { recipe }), 'OPTION', parts);
    }
  }));

test('a float16 table has no infinity', async () => {
  const w = new Float32Array(64).fill(1e6);
  const strip = palettize({ ...TENSOR, lut_dtype: 'float32' }, w, 32);
  assert.equal(strip.values, new Float64Array(64).fill(1e6));
  const { global } = parseRecipe({ global: { ...TENSOR, lut_dtype: 'float16' } });
  const { format } = global as Extract<typeof global, { format: unknown }>;
  assert.match(paletteFit.run(w, 32, format, core).refused!, /1000000.*65504/);
});

test('checkpoints of every kind come back as their format, with the values of the fit', () =>
  withModel(async (model, dir) => {
    const recipes: [string, object][] = [
      ['palettize4-float16-unscaled', { ...GROUPS, nbits: 4, lut_dtype: 'float16' }],
      [
        'palettize8-tensor-dim2-float16-unscaled',
        { ...TENSOR, nbits: 8, cluster_dim: 2, lut_dtype: 'float16' },
      ],
      ['palettize6-dim2', { ...GROUPS, nbits: 6, cluster_dim: 2, enable_per_channel_scale: true }],
      ['palettize4-tensor-float32-unscaled', { ...TENSOR, mode: 'uniform', lut_dtype: 'float32' }],
      ['palettize4-tensor-b32', { ...TENSOR, mode: 'custom', lut: 'fp4', block_size: 32 }],
      ['palettize4-tensor-float32-b32', { ...TENSOR, mode: 'custom', lut: 'nf4', block_size: 32 }],
    ];
    const source = await openCheckpoint(model);
    for (const [name, options] of recipes) {
      const out = join(dir, name);
      await compressModel(model, out, { recipe: parseRecipe({ global: options }) });
      const small = await openCheckpoint(out);
      for (const [path, weight] of source.weights) {
        const [n = 0, k] = weight.shape;
        if (k === undefined) continue;
        const packed = small.weights.get(path)!;
        assert.is(formatName(packed.format).replace('-int8', ''), name);
        const w = Float32Array.from(await readRows(weight, 0, n));
        assert.equal(await readRows(packed, 0, n), palettize(options, w, k).values, path);
        // Part of the rows, and rows within a vector.
        const whole = await readRows(packed, 0, n);
        assert.equal(await readRows(packed, 3, 9), whole.slice(3 * k, 9 * k));
      }
      await small.close();
    }
    await source.close();
  }));

test.run();
