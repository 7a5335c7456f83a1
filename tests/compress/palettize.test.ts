import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FittedStrip, Floats } from '../../bindings/compress/fit/fit.js';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { paletteFit } from '../../bindings/compress/fit/palettize.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { normals, TestRandom } from '../support/random.js';

const core = await FitCore.load();
const palettize = (w: Floats, k: number) => paletteFit.run(w, k, paletteFormat(4), core);

function dequantize(strip: FittedStrip, rows: number, k: number): Float64Array {
  const padded = Math.ceil(k / 32) * 32;
  return Float64Array.from({ length: rows * k }, (_, i) => {
    const row = Math.floor(i / k);
    const index = strip.codes[row * padded + (i % k)]!;
    return strip.scales[row]! * strip.lut![Math.floor(row / 16) * 16 + index]!;
  });
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

for (const [rows, k] of [
  [16, 512],
  [33, 172],
  [5, 64],
] as const) {
  test(`${rows} x ${k}: near the least error of 16 values`, () => {
    const random = new TestRandom(rows);
    // Rows of sizes from 0.001 to 10: scales must take that up.
    const w = normals(rows * k, random).map((x, i) => x * 10 ** ((Math.floor(i / k) % 5) - 3));
    const strip = palettize(w, k);
    assert.is(strip.codes.length, rows * Math.ceil(k / 32) * 32);
    assert.is(strip.lut!.length, Math.ceil(rows / 16) * 16);
    assert.ok(strip.inHalf);
    // The best 16 levels for a normal distribution leave 0.0974 (Max, 1960).
    const error = relativeError(dequantize(strip, rows, k), w);
    assert.ok(error < 0.103, `${error}`);
    for (let row = 0; row < rows; row++) {
      const part = w.slice(row * k, (row + 1) * k);
      const back = dequantize(strip, rows, k).slice(row * k, (row + 1) * k);
      assert.ok(relativeError(back, part) < 0.13, `row ${row}`);
    }
  });
}

test('every index is the nearest entry, tables ascend within 7 bits', () => {
  const [rows, k] = [20, 96];
  const w = normals(rows * k, new TestRandom(4));
  const { codes, lut: luts, scales } = palettize(w, k);
  for (const [i, value] of w.entries()) {
    const row = Math.floor(i / k);
    const lut = [...luts!.slice(Math.floor(row / 16) * 16, Math.floor(row / 16) * 16 + 16)];
    assert.equal(
      lut,
      [...lut].sort((a, b) => a - b),
    );
    assert.ok(lut.every((entry) => entry >= -64 && entry <= 63));
    const misses = lut.map((entry) => Math.abs(scales[row]! * entry - value));
    const chosen = misses[codes[row * 96 + (i % k)]!]!;
    assert.ok(chosen <= Math.min(...misses) * (1 + 1e-6), `weight ${i}`);
  }
});

test('one weight in a thousand far out does not spoil the rest', () => {
  const [rows, k] = [16, 256];
  const w = normals(rows * k, new TestRandom(6));
  for (let i = 77; i < w.length; i += 1000) w[i] = 25;
  const back = dequantize(palettize(w, k), rows, k);
  const inner = [...w.keys()].filter((i) => w[i] !== 25);
  const error = relativeError(
    Float64Array.from(inner, (i) => back[i]!),
    inner.map((i) => w[i]!),
  );
  assert.ok(error < 0.3, `${error}`);
});

test('sixteen values and fewer come back', () => {
  const k = 64;
  for (const count of [1, 2, 16]) {
    const w = Float32Array.from({ length: 16 * k }, (_, i) => ((i * 7) % count) - 7.5);
    const error = relativeError(dequantize(palettize(w, k), 16, k), w);
    // 7 bits for the values, float16 for the scales.
    assert.ok(error < 0.01, `${count} values: ${error}`);
  }
});

test('rows of zeros stay zero, among others and alone', () => {
  const k = 40;
  assert.equal(dequantize(palettize(new Float32Array(17 * k), k), 17, k), new Float64Array(17 * k));
  const w = normals(16 * k, new TestRandom(8));
  w.fill(0, 3 * k, 4 * k);
  const back = dequantize(palettize(w, k), 16, k);
  assert.ok(back.slice(3 * k, 4 * k).every((value) => value === 0));
});

test('scales that float16 cannot hold stay float32', () => {
  for (const size of [1e-9, 1e-36, 1e9, 1e36]) {
    const w = normals(16 * 64, new TestRandom(5)).map((x) => x * size);
    const strip = palettize(w, 64);
    assert.not(strip.inHalf);
    const scaled = dequantize(strip, 16, 64).map((x) => x / size);
    assert.ok(
      relativeError(
        scaled,
        w.map((x) => x / size),
      ) < 0.11,
      `${size}`,
    );
  }
});

test('the same weights give the same bytes, whatever strip they come in', () => {
  const k = 40;
  const w = normals(40 * k, new TestRandom(9));
  const whole = palettize(w, k);
  const last = palettize(w.slice(32 * k), k);
  assert.equal(whole.codes.slice(32 * 64), last.codes);
  assert.equal(whole.lut!.slice(32), last.lut);
  assert.equal(whole.scales.slice(32), last.scales);
});

test.run();
