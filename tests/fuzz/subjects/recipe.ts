// Recipes as JSON, and the checkpoint that is made by those that are some.

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { compressModel, parseRecipe } from '../../../bindings/compress/index.js';
import type { TestRandom } from '../../support/random.js';
import { hostileValue, type JsonTree, jsonDamages, toJson } from '../json_damage.js';
import { runModel } from '../oracle.js';
import { inScratch, scratchModels } from '../scratch.js';
import { type Damage, oneIn, pick, subject } from '../subject.js';
import { Finding, judge, type Verdict } from '../verdict.js';

type Json = Record<string, unknown>;

const PATHS = ['*', '*mlp*', 'model.layers.0.*', 'lm_head', '', '**', '*a*b*c*', 'model.norm', 'x'];
const KINDS = ['embed', 'head', 'attention', 'mlp'];
const OUTS = ['out', 'out.safetensors', 'a/b/out', 'é', ' ', '.tmp', `${'x'.repeat(300)}`];

const LUT_DTYPES = ['int8', 'float16', 'float32'];

function scheme(random: TestRandom): Json {
  const palette = {
    type: 'palettize',
    nbits: pick(random, [1, 2, 3, 4, 6, 8]),
    granularity: 'per_grouped_channel',
    group_size: pick(random, [16, 16, 3, 8, 64]),
    enable_per_channel_scale: oneIn(random, 2),
  };
  const custom = {
    type: 'palettize',
    nbits: 4,
    mode: 'custom',
    ...(oneIn(random, 2) ? { block_size: 32 } : { enable_per_channel_scale: oneIn(random, 2) }),
  };
  const linear = { type: 'linear', dtype: `int${pick(random, [2, 3, 4, 5, 6, 8])}` };
  const granularity = pick(random, ['per_channel', 'per_tensor', 'per_block']);
  const mode = pick(random, ['linear', 'linear_symmetric']);
  return pick<Json>(random, [
    { type: 'none' },
    { ...linear, block_size: pick(random, [16, 32, 64]) },
    { ...linear, mode, granularity },
    { ...palette },
    { ...palette, mode: pick(random, ['uniform', 'unique']), lut_dtype: pick(random, LUT_DTYPES) },
    { ...palette, cluster_dim: pick(random, [2, 4]), lut_dtype: pick(random, LUT_DTYPES) },
    { ...custom, lut: pick<unknown>(random, ['nf4', 'fp4', [-1, 0, 1], [0.5, 2, 70000]]) },
    { ...linear, activations: pick(random, ['float', 'int8']) },
  ]);
}

function recipe(random: TestRandom): Json {
  const overrides = Array.from({ length: random.below(3) }, () => ({
    ...(oneIn(random, 2) ? { match: pick(random, PATHS) } : { kind: pick(random, KINDS) }),
    ...scheme(random),
  }));
  return oneIn(random, 4) ? { global: scheme(random) } : { global: scheme(random), overrides };
}

/** Compresses; OUT is whole afterwards, or it is not there, and nothing else is. */
async function run({ root }: JsonTree, random: TestRandom): Promise<Verdict> {
  let json: unknown;
  try {
    json = JSON.parse(toJson(root));
  } catch {
    return 'refused';
  }
  const models = await scratchModels();
  return inScratch(async (folder) => {
    const out = pick(random, OUTS.slice(0, oneIn(random, 4) ? OUTS.length : 2));
    const verdict = await judge(async () => {
      const made = parseRecipe(json);
      // Fitting takes longer than all else: most recipes are only read.
      if (!oneIn(random, 5)) return;
      await compressModel(join(models, 'float'), join(folder, out), { recipe: made });
      if ((await runModel(join(folder, out), random)) === 'accepted') return;
      throw new Finding('refused', `what compressModel made of ${toJson(root)}`);
    });
    const left = (await readdir(folder, { recursive: true })).filter((name) =>
      name.endsWith('.tmp'),
    );
    if (left.length > (out === '.tmp' ? 1 : 0)) throw new Finding('left behind', left.join(', '));
    return verdict;
  });
}

const OPTIONS = [
  'dtype',
  'granularity',
  'block_size',
  'mode',
  'nbits',
  'group_size',
  'type',
  'lut',
  'lut_dtype',
  'cluster_dim',
  'activations',
  'x',
];

const OPTION_DAMAGE: Damage<JsonTree> = {
  name: 'recipe: an option of a scheme',
  apply(tree, random) {
    const { global } = (tree.root ?? {}) as { global?: unknown };
    if (typeof global !== 'object' || global === null) return;
    const words = ['int2', 'uint4', 'per_channel', 'per_tensor', 'kmeans', 'prune', 16, 32, 64, 6];
    const value = oneIn(random, 3) ? hostileValue(random) : pick<unknown>(random, words);
    (global as Json)[pick(random, OPTIONS)] = value;
  },
};

export const compressRecipe = subject<JsonTree>({
  kind: 'recipe',
  share: 2,
  damages: [...jsonDamages<JsonTree>('recipe', (tree) => tree), OPTION_DAMAGE],
  make: (random) => ({ root: recipe(random) }),
  run,
  show: ({ root }) => toJson(root).slice(0, 10_000),
});
