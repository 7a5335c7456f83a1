import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorCode } from '../../bindings/errors.js';
import { floatFormat, withScaleType } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { parseQuantization } from '../../bindings/model/quantization.js';
import { readSafetensors } from '../../bindings/model/safetensors.js';
import { memorySource } from '../../bindings/model/source.js';
import { collectWeights } from '../../bindings/model/weights.js';
import { raises } from '../support/raises.js';
import { safetensorsBytes } from '../support/tiny_model.js';

type Shape = readonly [dtype: string, ...shape: number[]];

const BYTES: Record<string, number> = {
  F64: 8,
  U32: 4,
  I32: 4,
  F32: 4,
  F16: 2,
  BF16: 2,
  I8: 1,
  U8: 1,
};

async function collect(tensors: Record<string, Shape>, config: Record<string, unknown> = {}) {
  const stored = Object.entries(tensors).map(([name, [dtype, ...shape]]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    return { name, dtype, shape, bytes: new Uint8Array(count * BYTES[dtype]!) };
  });
  const source = memorySource('m.safetensors', safetensorsBytes(stored));
  const quantization = parseQuantization(config, 'config.json');
  return collectWeights((await readSafetensors(source)).tensors, quantization, 'model');
}

const MLX = { quantization: { group_size: 32, bits: 4, mode: 'affine', head: false } };
const ours = (tensor: object) => {
  const a = { type: 'linear', bits: 4, group_size: 32, symmetric: true, in_features: 60 };
  const tensors = { a: { ...a, ...tensor } };
  return { quantization_config: { quant_method: 'halfbyte', version: 1, tensors } };
};
const AFFINE = {
  'a.weight': ['U32', 5, 8],
  'a.scales': ['F16', 5, 2],
  'a.biases': ['F16', 5, 2],
} as const;
const SYMMETRIC = { 'a.weight': ['U32', 5, 8], 'a.scales': ['F32', 5, 2] } as const;

const PALETTE = {
  'a.indices': ['U8', 35, 32],
  'a.lut': ['I8', 3, 16],
  'a.channel_scale': ['F16', 35],
} as const;
const palette = (k: number) => {
  const a = {
    type: 'palettize',
    bits: 4,
    granularity: 'per_grouped_channel',
    group_size: 16,
    enable_per_channel_scale: true,
    in_features: k,
  };
  return { quantization_config: { quant_method: 'halfbyte', version: 1, tensors: { a } } };
};

test('floats beside packed weights', async () => {
  const weights = await collect({ ...AFFINE, 'head.weight': ['BF16', 7] }, MLX);
  const { parts, ...a } = weights.get('a')!;
  assert.equal(a, { path: 'a', shape: [5, 64], format: linearFormat(4, false) });
  assert.equal(
    parts.map(({ role, bytes }) => [role, bytes]),
    [
      ['codes', 160],
      ['scales', 20],
      ['biases', 20],
    ],
  );
  const head = weights.get('head')!;
  assert.equal(head.format, floatFormat('bf16'));
  assert.equal([head.shape, head.parts[0].bytes], [[7], 14]);
});

test('the logical k of padded rows, and 8 bits', async () => {
  const { shape, format, parts } = (await collect(SYMMETRIC, ours({}))).get('a')!;
  assert.equal(shape, [5, 60]);
  assert.equal(format, withScaleType(linearFormat(4, true), 'f32'));
  assert.is(parts.length, 2);
  const wide = { 'a.weight': ['U32', 5, 16], 'a.scales': ['BF16', 5, 2] } as const;
  assert.equal((await collect(wide, ours({ bits: 8 }))).get('a')!.shape, [5, 60]);
});

test('a palette', async () => {
  const { parts, ...a } = (await collect(PALETTE, palette(60))).get('a')!;
  assert.equal(a, { path: 'a', shape: [35, 60], format: paletteFormat(4) });
  assert.equal(
    parts.map(({ role, bytes }) => [role, bytes]),
    [
      ['codes', 35 * 32],
      ['scales', 70],
      ['lut', 48],
    ],
  );
});

const REFUSED: readonly [
  name: string,
  tensors: Record<string, Shape>,
  config: Record<string, unknown>,
  code: ErrorCode,
  parts: string[],
][] = [
  ['float64', { 'a.weight': ['F64', 2] }, {}, 'UNSUPPORTED', ['a.weight', 'F64']],
  ['int8', { 'a.weight': ['I8', 2, 2] }, {}, 'UNSUPPORTED', ['a.weight', 'I8']],
  ['a scalar', { 'a.weight': ['F32'] }, {}, 'FORMAT', ['a.weight', '[]']],
  ['three dimensions', { 'a.weight': ['F32', 1, 2, 3] }, {}, 'FORMAT', ['a.weight', '[1, 2, 3]']],
  ['no rows', { 'a.weight': ['F32', 0, 3] }, {}, 'FORMAT', ['a.weight', '[0, 3]']],
  ['a bias', { 'a.bias': ['F32', 4] }, {}, 'FORMAT', ['a.bias', 'no weight']],
  ['no suffix', { 'w.weight': ['F32', 4], a: ['F32', 4] }, {}, 'FORMAT', [' a:']],
  ['scales alone', { 'a.scales': ['F16', 5, 2] }, MLX, 'FORMAT', ['a.scales', 'no weight']],
  ['no metadata', AFFINE, {}, 'FORMAT', ['a.weight', 'packed', 'config.json']],
  [
    'metadata of others',
    SYMMETRIC,
    { quantization: { ...MLX.quantization, a: false } },
    'FORMAT',
    ['a.weight', 'config.json'],
  ],
  ['no scales', { 'a.weight': ['U32', 5, 8] }, MLX, 'FORMAT', ['a.weight', 'a.scales']],
  [
    'no biases',
    { ...AFFINE, ...SYMMETRIC, 'a.biases': ['F32', 5, 2] },
    ours({}),
    'FORMAT',
    ['a.biases', 'int4'],
  ],
  ['missing biases', SYMMETRIC, MLX, 'FORMAT', ['a.weight', 'a.biases is missing']],
  [
    'scales of integers',
    { ...AFFINE, 'a.scales': ['I32', 5, 2] },
    MLX,
    'FORMAT',
    ['a.scales', 'I32'],
  ],
  [
    'too few scales',
    { ...AFFINE, 'a.scales': ['F16', 5, 1] },
    MLX,
    'FORMAT',
    ['a.scales', '[5, 1]', '[5, 2]'],
  ],
  [
    'scales of other rows',
    { ...AFFINE, 'a.scales': ['F16', 4, 2] },
    MLX,
    'FORMAT',
    ['[4, 2]', '[5, 2]'],
  ],
  [
    'biases of another type',
    { ...AFFINE, 'a.biases': ['F32', 5, 2] },
    MLX,
    'FORMAT',
    ['a.biases', 'F32', 'F16'],
  ],
  ['nothing packed', { 'a.weight': ['F32', 4] }, MLX, 'FORMAT', ['quantization', 'none of 1']],
  [
    'floats where a module is packed',
    { ...AFFINE, 'b.weight': ['F32', 5, 64] },
    { quantization: { ...MLX.quantization, b: { group_size: 32, bits: 8 } } },
    'FORMAT',
    ['b.weight', 'F32', '8 bits'],
  ],
  [
    'other bits than said',
    AFFINE,
    { quantization: { ...MLX.quantization, bits: 8 } },
    'FORMAT',
    ['a.scales', '[5, 2]', '[5, 1]'],
  ],
  [
    'half a group',
    { 'a.weight': ['U32', 5, 6], 'a.scales': ['F16', 5, 1] },
    MLX,
    'FORMAT',
    ['a.weight', '48', '64'],
  ],
  [
    'another k than said',
    SYMMETRIC,
    ours({ in_features: 65 }),
    'FORMAT',
    ['a.weight', '[5, 8]', '[5, 12]', '96', '65'],
  ],
  [
    'packed int32',
    { ...AFFINE, 'a.weight': ['I32', 5, 8] },
    MLX,
    'FORMAT',
    ['a.weight', 'I32', 'U32'],
  ],
  [
    'a packed vector',
    { ...AFFINE, 'a.weight': ['U32', 8] },
    MLX,
    'FORMAT',
    ['a.weight', 'U32 [8]'],
  ],
  [
    'floats against the metadata',
    { 'a.weight': ['F16', 5, 60] },
    ours({}),
    'FORMAT',
    ['a.weight', 'F16', 'U32'],
  ],
  ['a lut alone', { 'a.lut': ['I8', 3, 16] }, palette(60), 'FORMAT', ['a.lut', 'no weight']],
  [
    'a palette and a weight of one path',
    { ...PALETTE, 'a.weight': ['F32', 35, 60] },
    palette(60),
    'FORMAT',
    ['a.indices', 'no weight'],
  ],
  ['a palette without metadata', PALETTE, {}, 'FORMAT', ['a.indices', 'config.json', 'a']],
  ['a palette said to be linear', PALETTE, ours({}), 'FORMAT', ['a.indices', 'linear']],
  ['linear said to be a palette', SYMMETRIC, palette(60), 'FORMAT', ['a.weight', 'palettize']],
  [
    'a palette without lut',
    { 'a.indices': PALETTE['a.indices'], 'a.channel_scale': PALETTE['a.channel_scale'] },
    palette(60),
    'FORMAT',
    ['a.indices', 'a.lut is missing'],
  ],
  [
    'a palette without scales',
    { 'a.indices': PALETTE['a.indices'], 'a.lut': PALETTE['a.lut'] },
    palette(60),
    'FORMAT',
    ['a.indices', 'a.channel_scale is missing'],
  ],
  ['indices of another k', PALETTE, palette(65), 'FORMAT', ['a.indices', '[35, 32]', '[35, 48]']],
  [
    'indices of another type',
    { ...PALETTE, 'a.indices': ['I8', 35, 32] },
    palette(60),
    'FORMAT',
    ['a.indices', 'I8', 'U8'],
  ],
  [
    'too few tables',
    { ...PALETTE, 'a.lut': ['I8', 2, 16] },
    palette(60),
    'FORMAT',
    ['a.lut', '[2, 16]', '[3, 16]'],
  ],
  [
    'tables of another size',
    { ...PALETTE, 'a.lut': ['I8', 3, 64] },
    palette(60),
    'FORMAT',
    ['a.lut', '[3, 64]', '[3, 16]'],
  ],
  [
    'tables of float16 said to be of integers',
    { ...PALETTE, 'a.lut': ['F16', 3, 16] },
    palette(60),
    'FORMAT',
    ['a.lut', 'F16', 'I8'],
  ],
  [
    'too few channel scales',
    { ...PALETTE, 'a.channel_scale': ['F16', 34] },
    palette(60),
    'FORMAT',
    ['a.channel_scale', '[34]', '[35]'],
  ],
  [
    'channel scales of integers',
    { ...PALETTE, 'a.channel_scale': ['I32', 35] },
    palette(60),
    'FORMAT',
    ['a.channel_scale', 'I32'],
  ],
  [
    'named, but not there',
    { 'b.weight': ['F16', 5] },
    ours({}),
    'FORMAT',
    ['a.weight', 'no tensor'],
  ],
];

for (const [name, tensors, config, code, parts] of REFUSED) {
  test(`refused: ${name}`, () => raises(() => collect(tensors, config), code, parts, name));
}

test.run();
