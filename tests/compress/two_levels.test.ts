// Scales of two levels: what the fit stores, and that a model of them loads as its codec reads it.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { FITS } from '../../bindings/compress/fit/fits.js';
import { packBits } from '../../bindings/formats/bits.js';
import { codecOf, formatName } from '../../bindings/formats/codecs.js';
import { encodeFloats } from '../../bindings/formats/float_bytes.js';
import type { WeightFormat } from '../../bindings/formats/format.js';
import { raises } from '../support/raises.js';
import { normals, TestRandom } from '../support/random.js';

const core = await FitCore.load();
const linear = FITS.get('linear')!;
const [ROWS, K] = [5, 544];

function formatOf(options: Readonly<Record<string, unknown>>): WeightFormat {
  return linear.parse({ granularity: 'per_block', ...options }, 'global').format;
}

/** Squared error of what is stored. */
function errorOf(format: WeightFormat, weights: Float32Array): number {
  const strip = linear.run(weights, K, format, core);
  const half = (values?: Float32Array | Int8Array) =>
    values instanceof Float32Array ? encodeFloats(values, 'f16') : new Uint8Array(values!.buffer);
  const decoded = codecOf(format).decode(
    format,
    {
      codes: packBits(strip.codes, format.bits),
      scales: half(strip.scales),
      ...(strip.biases && { biases: half(strip.biases) }),
      ...(strip.scaleSteps && { scaleSteps: half(strip.scaleSteps) }),
      ...(strip.biasSteps && { biasSteps: half(strip.biasSteps) }),
    },
    0,
    ROWS,
    K,
  );
  return decoded.reduce((sum, w, i) => sum + (w - weights[i]!) ** 2, 0);
}

for (const [dtype, mode, block, most] of [
  ['int4', 'linear_symmetric', 32, 1.03],
  ['int4', 'linear', 32, 1.06],
  ['int6', 'linear_symmetric', 16, 1.1],
  ['int3', 'linear_symmetric', 16, 1.03],
] as const) {
  test(`${dtype}, ${mode}, blocks of ${block}: nearly as good as float16 scales`, () => {
    const weights = normals(ROWS * K, new TestRandom(5));
    const options = { dtype, mode, block_size: block };
    const one = errorOf(formatOf(options), weights);
    const two = errorOf(formatOf({ ...options, scale_dtype: 'int8' }), weights);
    assert.ok(two <= one * most, `${two / one} times`);
  });
}

test('zeros stay zeros, also beside other weights', () => {
  const weights = normals(ROWS * K, new TestRandom(6));
  weights.fill(0, 0, K + 64);
  const format = formatOf({ dtype: 'int4', scale_dtype: 'int8' });
  const strip = linear.run(weights, K, format, core);
  assert.ok(strip.codes.subarray(0, K + 64).every((code) => code === 8));
});

test('names and refusals', async () => {
  assert.is(formatName(formatOf({ dtype: 'int4', scale_dtype: 'int8' })), 'int4-s8');
  const refused = [{ scale_dtype: 'int4' }, { scale_dtype: 'int8', granularity: 'per_channel' }];
  for (const options of refused) {
    await raises(() => formatOf({ dtype: 'int4', ...options }), 'OPTION', ['scale_dtype']);
  }
});

test.run();
