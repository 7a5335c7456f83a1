// Quantizers that a recipe may ask for by name choose what those of the names choose, bit for bit.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Quantizer } from '../../bindings/compress/fit/fit.js';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { runQuantizer } from '../../bindings/compress/fit/quantizers.js';
import { encodeFloats } from '../../bindings/formats/float_bytes.js';
import { ALL } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { goldens } from './goldens.js';
import { matrix, ROW_NAMES } from './matrices.js';
import { mlxGoldens } from './mlx_formats.js';

const core = await FitCore.load();

for (const { name, format, k, weights, codes, scales, biases } of mlxGoldens()) {
  test(`mlx, ${name}`, () => {
    const type = format.scale!.dtype;
    const strip = runQuantizer('mlx', weights, k, format, core);
    assert.equal(strip.codes, codes);
    assert.equal(encodeFloats(strip.scales, type), encodeFloats(scales, type));
    assert.equal(encodeFloats(strip.biases!, type), encodeFloats(biases, type));
  });
}

interface Linear {
  readonly low_high: readonly [number, number];
  readonly data: readonly (readonly number[])[];
  readonly scale: readonly (readonly number[])[];
  readonly zero_point: readonly (readonly number[])[] | null;
}

// As core_ml_fits.py draws them.
const SEED = 31;
const K = 32;
const LINEAR_ROWS = [
  'normal',
  'equal',
  'positive only',
  'negative only',
  'one outlier',
  'far from zero',
];
const all = matrix(SEED, K);
const weights = Float32Array.from(
  LINEAR_ROWS.flatMap((name) => {
    const row = ROW_NAMES.indexOf(name);
    return [...all.subarray(row * K, (row + 1) * K)];
  }),
);
const CASE =
  /^(linear|linear_symmetric), (u?)int(\d), a scale for each (tensor|channel|block of 16)$/;

let compared = 0;
for (const [name, golden] of goldens<Linear>('core_ml_fits')) {
  const [, mode, unsigned, width, what] = CASE.exec(name) ?? [];
  if (mode === undefined) continue;
  compared++;
  test(`coremltools, ${name}`, () => {
    const bits = Number(width);
    const symmetric = mode === 'linear_symmetric';
    const granularity = what === 'block of 16' ? 'per_block' : (`per_${what}` as 'per_channel');
    const format = linearFormat(bits, symmetric, 16, granularity);
    const quantizer: Quantizer = unsigned ? 'coremltools_unsigned' : 'coremltools';
    const strip = runQuantizer(quantizer, weights, K, format, core);
    assert.equal([...strip.scales], golden.scale.flat());
    const groups = golden.scale[0]!.length;
    const share = (row: number, i: number) =>
      format.scale!.rows === ALL ? 0 : row * groups + Math.floor((i * groups) / K);
    const zeros = golden.zero_point?.flat();
    // Codes begin at 0; ours of symmetric weights have zero in the middle.
    const zeroOf = (at: number) => (symmetric ? (zeros?.[at] ?? 0) : golden.low_high[0]);
    const middle = symmetric ? 2 ** (bits - 1) : 0;
    const expected = golden.data.flatMap((row, r) =>
      row.map((q, i) => q - zeroOf(share(r, i)) + middle),
    );
    assert.equal([...strip.codes], expected);
    if (symmetric) return;
    const biases = zeros!.map((zero, at) =>
      Math.fround(-golden.scale.flat()[at]! * (zero - golden.low_high[0])),
    );
    assert.equal(
      [...strip.biases!].map((bias) => bias + 0),
      biases.map((bias) => bias + 0),
    );
  });
}

test('all cases of coremltools were compared', () => assert.is(compared, 7 * 2 * 3));

test.run();
