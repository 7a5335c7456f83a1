// Planted outliers: a few weights 20 to 40 times the size of their row, as real models have them in mlp.down_proj.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { PackedScheme } from '../../bindings/compress/fit/fit.js';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { fitStrip } from '../../bindings/compress/fit/fit_strip.js';
import { codecOf, formatName } from '../../bindings/formats/codecs.js';
import { encodeFloats } from '../../bindings/formats/float_bytes.js';
import { ALL, type WeightFormat, withScaleType } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { normals, TestRandom } from '../support/random.js';

const ROWS = 48;
const K = 512;
const PLANTED = 12;
const core = await FitCore.load();

interface Planted {
  readonly plain: Float32Array;
  readonly weights: Float32Array;
  readonly places: number[];
}

/** Rows of different sizes, and the same with outliers. */
function planted(): Planted {
  const random = new TestRandom(3);
  const sizes = Array.from({ length: ROWS }, () => random.between(0.01, 0.03));
  // No outlier by chance.
  const draw = normals(ROWS * K, random).map((x) => Math.max(-4, Math.min(4, x)));
  const plain = Float32Array.from(draw, (x, i) => x * sizes[Math.floor(i / K)]!);
  const weights = plain.slice();
  const places = new Set<number>();
  while (places.size < PLANTED) places.add(random.below(ROWS * K));
  const sorted = [...places].sort((a, b) => a - b);
  for (const place of sorted) {
    const size = random.between(20, 40) * sizes[Math.floor(place / K)]!;
    weights[place] = random.below(2) === 0 ? size : -size;
  }
  return { plain, weights, places: sorted };
}

function fit(weights: Float32Array, k: number, format: WeightFormat, outlierThreshold?: number) {
  const type = format.lut ? 'palettize' : 'linear';
  const threshold = outlierThreshold === undefined ? {} : { outlierThreshold };
  const scheme: PackedScheme = { type, format, ...threshold };
  const rows = weights.length / k;
  return fitStrip(core, { raw: encodeFloats(weights, 'f32'), dtype: 'f32', rows, k, scheme })!;
}

/** The values of a strip, outliers included. */
function values(weights: Float32Array, format: WeightFormat, outlierThreshold?: number) {
  const { codes, scales, biases, lut, outliers } = fit(weights, K, format, outlierThreshold);
  const exact = withScaleType(format, 'f32');
  const bytes = {
    codes,
    scales: encodeFloats(scales, 'f32'),
    ...(biases && { biases: encodeFloats(biases, 'f32') }),
    ...(lut && { lut: new Uint8Array(lut.buffer) }),
  };
  const out = codecOf(exact).decode(exact, bytes, 0, ROWS, K);
  for (const [i, place] of (outliers?.places ?? []).entries()) {
    out[place] = out[place]! + outliers!.values[i]!;
  }
  return { out, places: [...(outliers?.places ?? [])] };
}

/** Root of the squared error of all but `places`, over that of the weights. */
function relativeError(out: Float64Array, { plain, places }: Planted): number {
  const outside = new Set(places);
  let error = 0;
  let all = 0;
  for (const [i, w] of plain.entries()) {
    if (outside.has(i)) continue;
    error += (out[i]! - w) ** 2;
    all += w ** 2;
  }
  return Math.sqrt(error / all);
}

const FORMATS: readonly WeightFormat[] = [
  ...[8, 6, 4, 3, 2].map((bits) => paletteFormat(bits)),
  paletteFormat(4, { rows: ALL }),
  paletteFormat(4, { rows: ALL, perChannel: false }),
  paletteFormat(6, { rows: 8, perChannel: false, entry: 'i8' }),
  linearFormat(4, true),
  linearFormat(4, false),
  linearFormat(6, true, undefined, 'per_channel'),
  linearFormat(4, false, undefined, 'per_tensor'),
];

for (const format of FORMATS) {
  test(`${formatName(format)}: outliers are exact, and the others as good as without them`, () => {
    const matrix = planted();
    const { out, places } = values(matrix.weights, format, 7);
    assert.equal(places, matrix.places);
    for (const place of places) {
      const w = matrix.weights[place]!;
      assert.ok(Math.abs(out[place]! - w) < 1e-6 * Math.abs(w), `${out[place]} for ${w}`);
    }
    const error = relativeError(out, matrix);
    const without = relativeError(values(matrix.plain, format).out, matrix);
    assert.ok(error < 1.02 * without, `${error}, without outliers ${without}`);
  });
}

test('without a threshold a palette clips them, or spoils the others', () => {
  const matrix = planted();
  const { out, places } = values(matrix.weights, paletteFormat(4));
  assert.equal(places, []);
  const clipped = matrix.places.filter((i) => Math.abs(out[i]! / matrix.weights[i]!) < 0.9);
  const without = relativeError(values(matrix.plain, paletteFormat(4)).out, matrix);
  const error = relativeError(out, matrix);
  assert.ok(
    clipped.length > 0 || error > 1.2 * without,
    `${clipped.length}, ${error} for ${without}`,
  );
});

test('none beyond the threshold: the strip is as without one', () => {
  const { plain } = planted();
  assert.equal(fit(plain, K, paletteFormat(4), 7), fit(plain, K, paletteFormat(4)));
});

test('strips of any rows have the same outliers', () => {
  const { weights } = planted();
  const whole = fit(weights, K, paletteFormat(4), 7).outliers!;
  const cut = [0, 16, 32].flatMap((row) => {
    const strip = fit(weights.slice(row * K, (row + 16) * K), K, paletteFormat(4), 7).outliers;
    if (!strip) return [];
    return [...strip.places].map((place, i) => [row * K + place, strip.values[i]]);
  });
  assert.equal(
    cut,
    [...whole.places].map((place, i) => [place, whole.values[i]]),
  );
});

test('what float16 does not hold stays with the codes', () => {
  const weights = new Float32Array(K).fill(1e4);
  weights[5] = 1e7;
  assert.is(fit(weights, K, paletteFormat(4), 5).outliers, undefined);
  assert.is(
    fit(new Float32Array(K).fill(1e-9).fill(1e-7, 0, 1), K, paletteFormat(4), 5).outliers,
    undefined,
  );
});

test.run();
