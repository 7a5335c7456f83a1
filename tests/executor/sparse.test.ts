// Pruned weights from a float checkpoint to the core: memory as predicted, the values of the reference, damage named.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import { parseRecipe } from '../../bindings/compress/recipe.js';
import { inspectModel, loadModel } from '../../bindings/index.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { assertNearReference } from '../support/near_reference.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ dir: string; float: string }>('sparse');
const DOWN = 'model.layers.1.mlp.down_proj';
const [N, K] = [64, 172];
const PRUNE = { type: 'prune', mode: 'magnitude', target_sparsity: 0.5 };
const INT4 = { type: 'linear', dtype: 'int4' };
const RECIPES: Readonly<Record<string, unknown>> = {
  'pruned floats': PRUNE,
  'pruned int4': [PRUNE, INT4],
  '2 of 4, int3 with biases': [
    { type: 'prune', mode: 'magnitude', n_m_ratio: [2, 4] },
    { type: 'linear', dtype: 'int3', mode: 'linear' },
  ],
  'blocks of 8 rows, palette of 16': [
    { ...PRUNE, block_size: 8 },
    { type: 'palettize', nbits: 4, granularity: 'per_grouped_channel', group_size: 16 },
  ],
  'none left': { ...PRUNE, target_sparsity: 1 },
};

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-sparse-'));
  context.float = await writeTinyLlama(join(context.dir, 'float'));
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

async function made(dir: string, float: string, global: unknown): Promise<string> {
  const model = join(dir, 'small.safetensors');
  await compressModel(float, model, { recipe: parseRecipe({ global }), force: true });
  return model;
}

test('inspect predicts what loading takes, logits agree with float64', async ({ dir, float }) => {
  for (const [name, global] of Object.entries(RECIPES)) {
    const model = await made(dir, float, global);
    const { residentBytes } = await inspectModel(model, { threads: 1 });
    const loaded = await loadModel(model, { threads: 1 });
    assert.equal(residentBytes, loaded.memory, name);
    await loaded.dispose();
    await assertNearReference(model, name === 'pruned floats' ? 1e-4 : undefined);
  }
});

test('what is left of floats is what it was', async ({ dir, float }) => {
  const [before, after] = await Promise.all(
    [float, await made(dir, float, PRUNE)].map(async (path) => {
      const checkpoint = await openCheckpoint(path);
      const rows = await readRows(checkpoint.weights.get(DOWN)!, 0, N);
      await checkpoint.close();
      return rows;
    }),
  );
  assert.is(after!.filter((w) => w === 0).length, (N * K) / 2);
  const least = Math.min(...after!.filter((w) => w !== 0).map(Math.abs));
  for (const [i, w] of after!.entries()) {
    assert.ok(w === before![i] || (w === 0 && Math.abs(before![i]!) <= least));
  }
});

/** The file with `change` made to the bytes of a tensor. */
async function damaged(file: string, tensor: string, change: (bytes: DataView) => void) {
  const data = await readFile(file);
  const headerEnd = 8 + Number(data.readBigUInt64LE(0));
  const header = JSON.parse(data.toString('utf8', 8, headerEnd));
  const [from, to] = header[tensor].data_offsets;
  change(new DataView(data.buffer, data.byteOffset + headerEnd + from, to - from));
  await writeFile(file, data);
}

test('a mask and starts that disagree are named with both numbers', async ({ dir, float }) => {
  const word = (at: number, change: (x: number) => number) => (bytes: DataView) =>
    bytes.setUint32(at, change(bytes.getUint32(at, true)), true);
  const CASES: [string, (bytes: DataView) => void, (string | RegExp)[]][] = [
    ['mask', (bytes) => bytes.setUint8(0, bytes.getUint8(0) ^ 1), ['row 0 has', 'bits set, but']],
    ['mask', (bytes) => bytes.setUint8(23, 0xff), ['row 0 has bits behind its 172 weights']],
    ['row_starts', word(0, () => 1), ['expected row 0 at 0, came 1']],
    ['row_starts', word(4 * 5, () => 0), ['expected ascending starts, row 4', 'the next 0']],
    ['row_starts', word(4 * 5, (x) => x + 1), ['row 4 has', 'bits set, but']],
    ['row_starts', word(4 * N, (x) => x + 3), ['row 63 has', 'bits set, but']],
  ];
  for (const [suffix, change, parts] of CASES) {
    const model = await made(dir, float, [PRUNE, INT4]);
    await damaged(model, `${DOWN}.${suffix}`, change);
    const named = [`${DOWN}.`, ...parts.map(String)];
    await raises(() => loadModel(model), 'FORMAT', named);
    await raises(() => loadModel(model, { device: 'reference' }), 'FORMAT', named);
  }
});

test('a mask that is missing, of another type, of another shape', async ({ dir, float }) => {
  const rename = async (from: string, to: string) => {
    const model = await made(dir, float, [PRUNE, INT4]);
    const data = await readFile(model, 'latin1');
    assert.ok(data.includes(from), from);
    await writeFile(model, data.replace(from, to), 'latin1');
    return model;
  };
  const shape = `"dtype":"U8","shape":[${N},24]`;
  const at = (what: string) => `"${DOWN}.mask":{${what}`;
  const cases: [from: string, to: string, parts: string[]][] = [
    [`${DOWN}.mask`, `${DOWN}.masc`, []],
    [`${DOWN}.row_starts`, `${DOWN}.row_starti`, []],
    [at(shape), at(`"dtype":"I8","shape":[${N},24]`), ['I8', 'U8']],
    [at(shape), at(`"dtype":"U8","shape":[24,${N}]`), [`[24, ${N}]`]],
  ];
  for (const [from, to, parts] of cases) {
    await raises(async () => loadModel(await rename(from, to)), 'FORMAT', [DOWN, ...parts]);
  }
});

test.run();
