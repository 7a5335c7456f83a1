import { readFileSync } from 'node:fs';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PackedScheme } from '../../bindings/compress/fit/fit.js';
import {
  parseRecipe,
  SCHEMES,
  type Scheme,
  schemeFor,
  schemeRecipe,
} from '../../bindings/compress/recipe.js';
import { OptionError, UnsupportedError } from '../../bindings/errors.js';
import { withFloats } from '../../bindings/formats/activations.js';
import { formatName } from '../../bindings/formats/codecs.js';
import { ALL, type WeightFormat } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { paletteFormat } from '../../bindings/formats/palette.js';

const INT4: Scheme = { type: 'linear', format: linearFormat(4, true) };
const INT8: Scheme = { type: 'linear', format: linearFormat(8, true) };
const NONE: Scheme = { type: 'none' };
const PALETTE: Scheme = { type: 'palettize', format: paletteFormat(4), outlierThreshold: 5 };
const palette4 = {
  type: 'palettize',
  nbits: 4,
  granularity: 'per_grouped_channel',
  group_size: 16,
  enable_per_channel_scale: true,
};
const custom = { type: 'palettize', nbits: 4, mode: 'custom' };
const prune = { type: 'prune', mode: 'magnitude', target_sparsity: 0.5 };
const int4 = { type: 'linear', dtype: 'int4' };
const int8 = { type: 'linear', dtype: 'int8' };

const RECIPE = parseRecipe({
  global: { ...int4, granularity: 'per_block', block_size: 32, mode: 'linear_symmetric' },
  overrides: [
    { kind: 'attention', ...int8 },
    { match: 'model.layers.*.mlp.*', ...int8, mode: 'linear' },
    { match: '*.layers.0.*', type: 'none' },
    { match: 'lm_head', type: 'none' },
    { kind: 'head', match: 'lm_*', ...int8 },
    { kind: 'embed', match: '*layers*', type: 'none' },
  ],
});

const RESOLVED: [string, Scheme][] = [
  ['model.embed_tokens', INT4],
  ['lm_head', INT8],
  ['model.layers.0.mlp.up_proj', NONE],
  ['model.layers.0.self_attn.q_proj', NONE],
  ['model.layers.10.self_attn.q_proj', INT8],
  ['model.layers.10.mlp.down_proj', { type: 'linear', format: linearFormat(8, false) }],
];

for (const [path, scheme] of RESOLVED) {
  test(`the last override that matches ${path} wins`, () => {
    assert.equal(schemeFor(RECIPE, path), scheme);
  });
}

const PATTERNS: [string, string, boolean][] = [
  ['*', 'a.b', true],
  ['a.*', 'a.b.c', true],
  ['*c', 'a.b.c', true],
  ['a*b*c', 'a.x.b.y.c', true],
  ['a*c', 'a', false],
  ['ab*ba', 'aba', false],
  ['a.b', 'a.b.c', false],
  ['a+b', 'aab', false],
  ['*b*b', 'ab', false],
];

for (const [match, path, expected] of PATTERNS) {
  test(`"${match}" ${expected ? 'matches' : 'does not match'} ${path}`, () => {
    const recipe = parseRecipe({ global: int8, overrides: [{ match, type: 'none' }] });
    assert.equal(schemeFor(recipe, path), expected ? NONE : INT8);
  });
}

test('short names', () => {
  assert.equal(schemeRecipe('int4').global, INT4);
  assert.equal(schemeRecipe('int4-asym').global, {
    type: 'linear',
    format: linearFormat(4, false),
  });
  assert.equal(schemeRecipe('int8').global, INT8);
  assert.throws(
    () => schemeRecipe('int7'),
    (error: unknown) => error instanceof OptionError,
  );
  assert.equal(schemeRecipe('palettize4').global, PALETTE);
  assert.equal(parseRecipe({ global: palette4 }), schemeRecipe('palettize4'));
  assert.equal(parseRecipe({ global: { ...palette4, mode: 'kmeans' } }).global, PALETTE);
  for (const [name, { global }] of SCHEMES) {
    assert.is(formatName((global as PackedScheme).format), name);
  }
});

const WORDS: [unknown, WeightFormat][] = [
  [{ type: 'linear' }, linearFormat(8, true)],
  [{ type: 'linear', dtype: 'uint3', mode: 'linear' }, linearFormat(3, false)],
  [{ ...int4, block_size: 64 }, linearFormat(4, true, 64)],
  [{ ...int8, granularity: 'per_channel' }, linearFormat(8, true, undefined, 'per_channel')],
  [{ ...int8, granularity: 'per_tensor' }, linearFormat(8, true, undefined, 'per_tensor')],
  [{ type: 'palettize', nbits: 6 }, paletteFormat(6, { rows: ALL, perChannel: false })],
  [{ ...int4, activations: 'float' }, withFloats(linearFormat(4, true))],
  [{ ...int4, activations: 'int8' }, linearFormat(4, true)],
  [{ ...palette4, activations: 'float' }, withFloats(paletteFormat(4))],
  [{ ...palette4, group_size: 8 }, paletteFormat(4, { rows: 8 })],
  [{ ...palette4, lut_dtype: 'int8' }, paletteFormat(4, { entry: 'i8' })],
  [{ ...palette4, lut_dtype: 'float16' }, paletteFormat(4, { entry: 'f16' })],
  [{ ...palette4, cluster_dim: 2 }, paletteFormat(4, { entry: 'i8', dim: 2 })],
  [
    { type: 'palettize', nbits: 4, mode: 'uniform' },
    paletteFormat(4, { rows: ALL, perChannel: false }),
  ],
  [{ ...palette4, mode: 'unique' }, paletteFormat(4, { entry: 'f32' })],
  [
    { ...custom, lut: 'nf4', block_size: 64 },
    paletteFormat(4, { rows: ALL, perChannel: false, entry: 'f32', block: 64 }),
  ],
  [{ ...custom, lut: 'fp4', enable_per_channel_scale: true }, paletteFormat(4, { rows: ALL })],
  [
    { ...custom, lut: [-100, 0, 100] },
    paletteFormat(4, { rows: ALL, perChannel: false, entry: 'i8' }),
  ],
  [
    { type: 'palettize', nbits: 2, granularity: 'per_grouped_channel' },
    paletteFormat(2, { rows: 32, perChannel: false }),
  ],
];

for (const [words, format] of WORDS) {
  test(`${JSON.stringify(words)} is ${formatName(format)}`, () => {
    assert.equal((parseRecipe({ global: words }).global as PackedScheme).format, format);
  });
}

test('whose fit, and from which size on', () => {
  const linear = { type: 'linear', dtype: 'uint4', mode: 'linear' };
  const scheme = (more: object) => parseRecipe({ global: { ...linear, ...more } }).global;
  const format = linearFormat(4, false);
  assert.equal(scheme({ fit: 'search' }), { type: 'linear', format });
  assert.equal(scheme({ fit: 'mlx' }), { type: 'linear', format, quantizer: 'mlx' });
  assert.is((scheme({ fit: 'coremltools' }) as PackedScheme).quantizer, 'coremltools_unsigned');
  const signed = scheme({ fit: 'coremltools', dtype: 'int4' }) as PackedScheme;
  assert.is(signed.quantizer, 'coremltools');
  assert.is((scheme({ weight_threshold: 2048 }) as PackedScheme).weightThreshold, 2048);
});

test('outliers: of palettes unless told otherwise, of others if told so', () => {
  const threshold = (words: object) => {
    return (parseRecipe({ global: words }).global as PackedScheme).outlierThreshold;
  };
  assert.is(threshold(palette4), 5);
  assert.is(threshold({ ...palette4, outlier_threshold: 4.5 }), 4.5);
  assert.is(threshold({ ...palette4, outlier_threshold: null }), undefined);
  assert.is(threshold(int4), undefined);
  assert.is(threshold({ ...int4, outlier_threshold: 6 }), 6);
  assert.is(threshold({ ...palette4, mode: 'uniform' }), undefined);
  assert.is(threshold({ ...palette4, mode: 'uniform', outlier_threshold: 6 }), 6);
});

const UNSUPPORTED: [unknown, RegExp][] = [
  [{ global: [prune, { ...palette4, mode: 'uniform' }] }, /global\[1\]: mode uniform/],
  [{ global: [prune, { ...int4, fit: 'coremltools' }] }, /global\[1\]: fit coremltools/],
  [{ global: [prune, { ...int4, outlier_threshold: 6 }] }, /global\[1\]: outlier_threshold/],
  [{ global: [prune, { ...int4, activations: 'float' }] }, /global\[1\]: a mask.*float activ/],
];

test('pruning alone, and joint with codes', () => {
  const half = { by: 'sparsity', part: 0.5, block: 1, dim: 0 };
  const alone = parseRecipe({ global: prune }).global as PackedScheme;
  assert.equal([alone.type, alone.prune], ['prune', half]);
  assert.equal(parseRecipe({ global: [prune, int4] }), schemeRecipe('sparse-int4'));
  assert.equal(parseRecipe({ global: [prune, palette4] }), schemeRecipe('sparse-palettize4'));
  const joint = parseRecipe({ overrides: [{ kind: 'mlp', schemes: [prune, int4] }] });
  assert.equal(joint.overrides[0]!.scheme, schemeRecipe('sparse-int4').global);
});

for (const [recipe, message] of UNSUPPORTED) {
  test(`names what is not supported yet: ${message.source}`, () => {
    assert.throws(
      () => parseRecipe(recipe),
      (error: unknown) => error instanceof UnsupportedError && message.test(error.message),
    );
  });
}

const WRONG: [unknown, RegExp][] = [
  [{ global: { type: 'prune' } }, /global\.mode: .*nothing/],
  [{ global: { ...prune, target_sparsity: 1.5 } }, /global\.target_sparsity: .*1\.5/],
  [{ global: { ...prune, n_m_ratio: [2, 4] } }, /global: .*came both/],
  [{ global: { type: 'prune', mode: 'magnitude', n_m_ratio: [5, 4] } }, /n_m_ratio: .*\[5,4\]/],
  [{ global: { ...prune, block_size: 1 } }, /block_size: .*1/],
  [{ global: { ...prune, dim: 1 } }, /dim: .*1/],
  [{ global: { type: 'prune', mode: 'threshold', threshold: -1 } }, /threshold: .*-1/],
  [{ global: [int4, prune] }, /global: expected prune and .*"linear", "prune"/],
  [{ global: [prune] }, /global: expected prune and .*"prune"/],
  [{ global: [prune, { type: 'none' }] }, /global: expected prune and .*"none"/],
  [{ overrides: [{ kind: 'mlp', type: 'linear', schemes: [prune, int4] }] }, /key "type"/],
  [null, /recipe: expected an object/],
  [[], /recipe: expected an object/],
  [{ gobal: int4 }, /"gobal"/],
  [{ global: {} }, /global\.type/],
  [{ global: { type: 'linar' } }, /"linar"/],
  [{ global: { type: 'linear', dtype: 'float' } }, /"float"/],
  [{ global: { ...int4, blocksize: 32 } }, /unknown key "blocksize"/],
  [{ global: { ...int4, mode: 'affine' } }, /"affine"/],
  [{ global: { ...int4, dtype: 'int7' } }, /dtype: expected .*"int7"/],
  [{ global: { type: 'linear', dtype: 'int1' } }, /mode: expected linear at 1 bit/],
  [{ global: { ...int4, block_size: 48 } }, /block_size: expected 16, .*48/],
  [
    { global: { ...int4, granularity: 'per_channel', block_size: 32 } },
    /block_size: .*per_channel/,
  ],
  [{ global: { ...int4, granularity: 'per_row' } }, /granularity: .*"per_row"/],
  [{ global: { ...palette4, nbits: 5 } }, /nbits: expected 1, 2, .*5/],
  [{ overrides: [{ kind: 'mlp', type: 'palettize' }] }, /overrides\[0\]\.nbits: .*nothing/],
  [{ global: { ...palette4, group_size: 0.5 } }, /group_size: .*0\.5/],
  [{ global: { ...palette4, granularity: 'per_tensor' } }, /group_size: .*per_tensor.*16/],
  [{ global: { ...palette4, enable_per_channel_scale: 1 } }, /enable_per_channel_scale: .*1/],
  [{ global: { ...palette4, lut_dtype: 'float8' } }, /lut_dtype: .*"float8"/],
  [{ global: { ...palette4, mode: 'median' } }, /mode: expected kmeans, .*"median"/],
  [{ global: { ...palette4, cluster_dim: 3 } }, /cluster_dim: expected 1, 2, 4, came 3/],
  [{ global: { ...palette4, cluster_dim: 4, group_size: 6 } }, /group_size: .*cluster_dim 4.* 6/],
  [{ global: { ...palette4, cluster_dim: 2, mode: 'uniform' } }, /cluster_dim: .*uniform.* 2/],
  [{ global: { ...palette4, lut: [1, 2] } }, /lut: expected nothing with mode kmeans/],
  [{ global: { ...palette4, block_size: 32 } }, /block_size: expected nothing with mode kmeans/],
  [{ global: { ...palette4, mode: 'unique', lut_dtype: 'int8' } }, /lut_dtype: .*unique.*"int8"/],
  [{ global: { ...palette4, activations: 'int8', lut_dtype: 'float16' } }, /activations: .*"int8"/],
  [{ global: { ...palette4, mode: 'custom', lut: 'nf4' } }, /granularity: .*per_tensor/],
  [{ global: { ...custom, lut: 'nf5' } }, /lut: .*"nf4" or "fp4".*"nf5"/],
  [{ global: { ...custom, lut: 'fp4' } }, /lut: .*block_size or enable_per_channel_scale/],
  [{ global: { ...custom, lut: [0, 0] } }, /lut: .*not all are 0/],
  [{ global: { ...custom, lut: [1, 'x'] } }, /lut: expected finite numbers/],
  [
    { global: { ...custom, nbits: 1, lut: [1, 2, 3] } },
    /lut: .*at most 2 entries at 1 bits, not 3/,
  ],
  [{ global: { ...custom, lut: [0.5], lut_dtype: 'int8' } }, /lut: .*integers from -128/],
  [{ global: { ...custom, lut: [1e6], lut_dtype: 'float16' } }, /lut: .*its range/],
  [{ global: { ...custom, lut: 'nf4', block_size: 48 } }, /block_size: expected 16, .*48/],
  [
    { global: { ...custom, lut: 'nf4', block_size: 32, enable_per_channel_scale: true } },
    /block_size: .*enable_per_channel_scale.* 32/,
  ],
  [{ global: { ...palette4, outlier_threshold: 0.5 } }, /outlier_threshold: .*from 1 on.*0\.5/],
  [{ global: { ...int4, outlier_threshold: true } }, /outlier_threshold: .*true/],
  [{ global: { type: 'none', outlier_threshold: 5 } }, /unknown key "outlier_threshold"/],
  [
    { global: { ...palette4, mode: 'unique', outlier_threshold: 5 } },
    /outlier_threshold: .*unique.* 5/,
  ],
  [{ global: { ...int4, activations: 'int4' } }, /global\.activations: .*int8 or float.*"int4"/],
  [{ global: { type: 'none', activations: 'float' } }, /unknown key "activations"/],
  [
    { global: { ...int4, fit: 'best' } },
    /global\.fit: expected search, mlx, coremltools, .*"best"/,
  ],
  [{ global: { ...int4, fit: 'mlx' } }, /fit: "mlx" makes mode "linear" only/],
  [{ global: { ...int4, mode: 'linear', block_size: 16, fit: 'mlx' } }, /"mlx" makes blocks of 32/],
  [{ global: { type: 'linear', dtype: 'int1', mode: 'linear', fit: 'mlx' } }, /weights of 2, 3/],
  [{ global: { ...palette4, fit: 'coremltools' } }, /"coremltools" makes linear weights/],
  [{ global: { ...int4, weight_threshold: -1 } }, /weight_threshold: expected a whole .*-1/],
  [{ global: { ...palette4, weight_threshold: '2048' } }, /weight_threshold: .*"2048"/],
  [{ overrides: {} }, /overrides: expected an array/],
  [{ overrides: [int4] }, /overrides\[0\]: expected match or kind/],
  [{ overrides: [{ kind: 'norm', ...int4 }] }, /overrides\[0\]\.kind/],
  [{ overrides: [{ match: 3, ...int4 }] }, /overrides\[0\]\.match/],
];

for (const [recipe, message] of WRONG) {
  test(`refuses ${JSON.stringify(recipe)}`, () => {
    assert.throws(
      () => parseRecipe(recipe),
      (error: unknown) => error instanceof OptionError && message.test(error.message),
    );
  });
}

for (const page of ['recipes', 'compression']) {
  test(`docs/${page}.md: every example is a recipe`, () => {
    const text = readFileSync(new URL(`../../../docs/${page}.md`, import.meta.url), 'utf8');
    const examples = [...text.matchAll(/```json\n(.*?)```/gs)].map(([, json]) => json!);
    assert.ok(examples.length > 0, 'no example was found');
    for (const example of examples) parseRecipe(JSON.parse(example));
  });
}

test.run();
