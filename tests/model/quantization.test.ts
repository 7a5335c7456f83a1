import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorCode } from '../../bindings/errors.js';
import { formatName } from '../../bindings/formats/codecs.js';
import { withOutliers } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { parseQuantization } from '../../bindings/model/quantization.js';
import { halfbyteKeys } from '../../bindings/model/schemes/halfbyte.js';
import { caseOf, PACKED_FORMATS } from '../support/formats.js';
import { raises } from '../support/raises.js';

const parse = (config: Record<string, unknown>) => parseQuantization(config, 'config.json');
const affine = (bits: number) => ({ format: linearFormat(bits, false), inFeatures: null });
const MLX = { group_size: 32, bits: 4 };
const TENSOR = { type: 'linear', bits: 4, group_size: 32, symmetric: true, in_features: 172 };
const PALETTE = {
  type: 'palettize',
  bits: 4,
  granularity: 'per_grouped_channel',
  group_size: 16,
  enable_per_channel_scale: true,
  in_features: 172,
};
const ours = (tensor: object) => {
  return { quantization_config: { quant_method: 'halfbyte', version: 1, tensors: { a: tensor } } };
};

test('no quantization', () => {
  assert.is(parse({}), null);
  assert.is(parse({ quantization: null, quantization_config: null }), null);
});

test("MLX's key, with modules of their own", () => {
  const overrides = { lm_head: { group_size: 32, bits: 8 }, 'model.norm': false };
  const mlx = parse({ quantization: { ...MLX, mode: 'affine', ...overrides } })!;
  assert.equal(mlx.meaning('anything'), affine(4));
  assert.equal(mlx.meaning('lm_head'), affine(8));
  assert.is(mlx.meaning('model.norm'), null);
  assert.equal(parse({ quantization_config: MLX })!.meaning('x')!.format.bits, 4);
  assert.equal(
    parse({ quantization: MLX, quantization_config: MLX })!.meaning('x')!.format.bits,
    4,
  );
});

test("MLX's two keys must mean the same", async () => {
  const head = { group_size: 32, bits: 8 };
  const same = { quantization: { ...MLX, head }, quantization_config: { head, ...MLX } };
  assert.equal(parse(same)!.meaning('head')!.format.bits, 8);
  const cases: [one: object, other: object, ...parts: string[]][] = [
    [MLX, { ...MLX, bits: 8 }, 'int4-asym for all weights', 'came int8-asym'],
    [{ ...MLX, head }, MLX, 'int8-asym for head', 'came int4-asym'],
    [MLX, { ...MLX, head: false }, 'int4-asym for head', 'came floats'],
  ];
  for (const [quantization, quantization_config, ...parts] of cases) {
    const both = { quantization, quantization_config };
    await raises(() => parse(both), 'FORMAT', ['[config.json] quantization_config', ...parts]);
  }
  const wrong = { quantization: MLX, quantization_config: { ...MLX, group_size: 48 } };
  await raises(() => parse(wrong), 'UNSUPPORTED', ['quantization_config.group_size', '48']);
  const other = { quantization: MLX, quantization_config: { ...MLX, group_size: 64 } };
  await raises(() => parse(other), 'FORMAT', ['came int4-asym-g64']);
});

test('our key, tensor by tensor', () => {
  const quantization = parse(ours(TENSOR))!;
  const a = { format: linearFormat(4, true), inFeatures: 172 };
  assert.equal(quantization.meaning('a'), a);
  assert.is(quantization.meaning('b'), null);
  assert.equal(quantization.paths, ['a']);
});

test('a palette', () => {
  const meaning = parse(ours(PALETTE))!.meaning('a');
  assert.equal(meaning, { format: paletteFormat(4), inFeatures: 172 });
});

test('float activations', () => {
  const format = { ...linearFormat(4, true), activations: 'float' };
  assert.equal(parse(ours({ ...TENSOR, activations: 'float' }))!.meaning('a')!.format, format);
  assert.is(
    parse(ours({ ...TENSOR, activations: 'int8' }))!.meaning('a')!.format.activations,
    undefined,
  );
  // Values that are floats need not be told.
  const floats = parse(ours({ ...PALETTE, lut_dtype: 'float16', activations: 'float' }))!;
  assert.equal(floats.meaning('a')!.format, paletteFormat(4, { entry: 'f16' }));
});

test('every packed format comes back from its metadata, but for what its tensors say', () => {
  for (const format of PACKED_FORMATS) {
    const keys = halfbyteKeys([{ path: 'a', k: 128, format }]);
    const meaning = parse(JSON.parse(JSON.stringify(keys)))!.meaning('a');
    const { scale, ...rest } = withOutliers(format, 0);
    const { super: levels, ...oneLevel } = scale ?? {};
    const expected = { ...rest, ...(scale && { scale: oneLevel }) };
    assert.equal(meaning, { format: expected, inFeatures: 128 }, caseOf(format));
  }
  const names = PACKED_FORMATS.map(formatName);
  assert.is(new Set(names).size, names.length, names.join(', '));
});

const REFUSED: readonly [config: Record<string, unknown>, code: ErrorCode, parts: string[]][] = [
  ...['gptq', 'awq', 'compressed-tensors', 'bitsandbytes', 'fp8'].map(
    (method): [Record<string, unknown>, ErrorCode, string[]] => [
      { quantization_config: { quant_method: method, bits: 4, group_size: 32 } },
      'UNSUPPORTED',
      ['quant_method', method],
    ],
  ),
  [{ quantization: 4 }, 'FORMAT', ['quantization', '4']],
  [{ quantization: { ...MLX, group_size: 48 } }, 'UNSUPPORTED', ['group_size', '48', '64 and 128']],
  [{ quantization: { ...MLX, bits: 7 } }, 'UNSUPPORTED', ['bits', '7', '6 and 8']],
  [{ quantization: { ...MLX, bits: undefined } }, 'FORMAT', ['bits', 'nothing']],
  [{ quantization: { ...MLX, mode: 'mxfp4' } }, 'UNSUPPORTED', ['mode', 'mxfp4']],
  [{ quantization: { ...MLX, lm_head: true } }, 'UNSUPPORTED', ['lm_head', 'true']],
  [{ quantization: MLX, ...ours(TENSOR) }, 'FORMAT', ['both']],
  [ours({ ...TENSOR, type: 'lut' }), 'UNSUPPORTED', ['tensors.a.type', 'lut']],
  [ours({ ...PALETTE, bits: 5 }), 'UNSUPPORTED', ['tensors.a.bits', '5', '6 and 8']],
  [ours({ ...PALETTE, granularity: 'per_tensor' }), 'FORMAT', ['group_size', 'per_tensor', '16']],
  [ours({ ...PALETTE, granularity: 'per_row' }), 'UNSUPPORTED', ['granularity', 'per_row']],
  [ours({ ...PALETTE, group_size: 0 }), 'FORMAT', ['tensors.a.group_size', '0', '1']],
  [ours({ ...PALETTE, lut_dtype: 'float8' }), 'UNSUPPORTED', ['lut_dtype', 'float8', 'float32']],
  [
    ours({ ...PALETTE, block_size: 32 }),
    'FORMAT',
    ['block_size', 'enable_per_channel_scale', '32'],
  ],
  [ours({ ...TENSOR, activations: 'int4' }), 'UNSUPPORTED', ['activations', 'int4', 'float']],
  [
    ours({ ...PALETTE, lut_dtype: 'float16', activations: 'int8' }),
    'UNSUPPORTED',
    ['tensors.a.activations', 'int8', 'float'],
  ],
  [ours({ ...TENSOR, granularity: 'per_row' }), 'UNSUPPORTED', ['granularity', 'per_row']],
  [ours({ ...TENSOR, zero_point: 3 }), 'UNSUPPORTED', ['tensors.a.zero_point']],
  [ours({ ...PALETTE, cluster_dim: 3 }), 'UNSUPPORTED', ['tensors.a.cluster_dim', '3', '2 and 4']],
  [
    ours({ ...PALETTE, cluster_dim: 4, group_size: 6 }),
    'FORMAT',
    ['group_size', '6', 'cluster_dim 4'],
  ],
  [ours({ ...PALETTE, in_features: undefined }), 'FORMAT', ['in_features', 'nothing']],
  [ours({ ...TENSOR, bits: 0 }), 'FORMAT', ['tensors.a.bits', '0']],
  [ours({ ...TENSOR, in_features: 0 }), 'FORMAT', ['tensors.a.in_features', '0']],
  [ours({ ...TENSOR, symmetric: undefined }), 'FORMAT', ['tensors.a.symmetric', 'nothing']],
  [{ quantization_config: { quant_method: 'halfbyte', version: 1 } }, 'FORMAT', ['tensors']],
  [
    { quantization_config: { quant_method: 'halfbyte', version: 2, tensors: {} } },
    'UNSUPPORTED',
    ['version', '2', '1'],
  ],
];

for (const [config, code, parts] of REFUSED) {
  test(`refused: ${JSON.stringify(config)}`, () => {
    return raises(() => parse(config), code, ['[config.json]', ...parts]);
  });
}

test.run();
