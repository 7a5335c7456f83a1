import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { FittedStrip } from '../../bindings/compress/fit/fit.js';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { linearFit } from '../../bindings/compress/fit/linear.js';
import type { WeightFormat } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';

const INT8 = linearFormat(8, true);
const INT4 = linearFormat(4, true);
const INT4_ASYM = linearFormat(4, false);
const SCHEMES = { INT8, INT4, INT4_ASYM };

const core = await FitCore.load();
const roundToHalf = core.run.round_to_half;
const holdsInHalf = (x: number) => core.run.holds_in_half(x) === 1;
const fitLinear = (w: Float32Array, k: number, format: WeightFormat) =>
  linearFit.run(w, k, format, core);

/** Seeded floats, roughly normal. */
function randomWeights(count: number, seed: number, size = 0.05): Float32Array {
  let state = seed;
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32 - 0.5;
  };
  return Float32Array.from({ length: count }, () => (next() + next() + next() + next()) * size);
}

function dequantize(strip: FittedStrip, rows: number, k: number, scheme: WeightFormat) {
  const groups = Math.ceil(k / 32);
  const out = new Float32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < k; i++) {
      const g = row * groups + (i >> 5);
      const scale = strip.scales[g] as number;
      const bias = strip.biases ? (strip.biases[g] as number) : -(2 ** (scheme.bits - 1)) * scale;
      out[row * k + i] = scale * (strip.codes[row * groups * 32 + i] as number) + bias;
    }
  }
  return out;
}

function squaredError(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + (value - (b[i] as number)) ** 2, 0);
}

for (const [name, scheme] of Object.entries(SCHEMES)) {
  for (const k of [32, 64, 172, 5]) {
    test(`${name}, k ${k}: inside the range no weight is off by more than half a scale`, () => {
      const rows = 7;
      const w = randomWeights(rows * k, k);
      const strip = fitLinear(w, k, scheme);
      const back = dequantize(strip, rows, k, scheme);
      const kPadded = Math.ceil(k / 32) * 32;
      assert.is(strip.codes.length, rows * kPadded);
      assert.ok(strip.inHalf);
      let clipped = 0;
      for (let i = 0; i < w.length; i++) {
        const row = Math.floor(i / k);
        const q = strip.codes[row * kPadded + (i % k)] as number;
        const scale = Math.abs(strip.scales[(row * kPadded) / 32 + ((i % k) >> 5)] as number);
        const miss = Math.abs((back[i] as number) - (w[i] as number));
        if (miss <= scale * 0.5 + 1e-7) continue;
        assert.ok(
          q === 0 || q === 2 ** scheme.bits - 1,
          `weight ${i}: off by ${miss / scale} scales`,
        );
        clipped++;
      }
      if (scheme.bits === 8) assert.is(clipped, 0);
      assert.ok(clipped < w.length / 8, `${clipped} clipped`);
    });
  }
}

test('int4 is never worse than rounding to max / 7, to the signed extreme / -8, or to the range', () => {
  for (let seed = 1; seed < 40; seed++) {
    const w = randomWeights(32, seed);
    const extreme = w.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
    const [low, high] = [Math.min(...w), Math.max(...w)];
    const plain = (scale: number, bias: number) =>
      w.map((x) => scale * Math.min(15, Math.max(0, Math.round((x - bias) / scale))) + bias);
    const found = squaredError(dequantize(fitLinear(w, 32, INT4), 1, 32, INT4), w);
    for (const scale of [extreme / -8, Math.abs(extreme) / 7]) {
      const half = roundToHalf(scale);
      assert.ok(found <= squaredError(plain(half, -8 * half), w) * (1 + 1e-6));
    }
    const asym = squaredError(dequantize(fitLinear(w, 32, INT4_ASYM), 1, 32, INT4_ASYM), w);
    const line = plain(roundToHalf((high - low) / 15), roundToHalf(low));
    assert.ok(asym <= squaredError(line, w) * (1 + 1e-6));
  }
});

test('weights on the grid come back exactly', () => {
  for (const [name, scheme] of Object.entries(SCHEMES)) {
    const zero = !scheme.bias ? 2 ** (scheme.bits - 1) : 3;
    const top = 2 ** scheme.bits - 1;
    const w = Float32Array.from({ length: 32 }, (_, i) => {
      const low = scheme.bits === 8 ? 1 : 0;
      return 0.125 * (Math.max(low, Math.round((i * top) / 31)) - zero);
    });
    const back = dequantize(fitLinear(w, 32, scheme), 1, 32, scheme);
    assert.equal(back, w, name);
  }
});

test('a block of zeros stays zero, a constant block stays near its value', () => {
  for (const scheme of Object.values(SCHEMES)) {
    assert.equal(
      dequantize(fitLinear(new Float32Array(64), 64, scheme), 1, 64, scheme),
      new Float32Array(64),
    );
    const back = dequantize(fitLinear(new Float32Array(32).fill(-0.3), 32, scheme), 1, 32, scheme);
    for (const value of back) assert.ok(Math.abs(value + 0.3) < 0.3 * 2 ** -9);
  }
});

test('scales that float16 cannot hold stay float32', () => {
  for (const scheme of Object.values(SCHEMES)) {
    for (const size of [1e-9, 1e-38, 1e9, 1e37]) {
      const w = randomWeights(64, 5, size);
      const strip = fitLinear(w, 64, scheme);
      assert.not(strip.inHalf);
      const relative = squaredError(
        dequantize(strip, 1, 64, scheme).map((x) => x / size),
        w.map((x) => x / size),
      );
      assert.ok(relative < (scheme.bits === 8 ? 1e-3 : 0.2), `${size}: ${relative}`);
    }
  }
});

test('the same weights give the same bytes, whatever strip they come in', () => {
  const w = randomWeights(6 * 40, 9);
  for (const scheme of Object.values(SCHEMES)) {
    const whole = fitLinear(w, 40, scheme);
    const last = fitLinear(w.slice(5 * 40), 40, scheme);
    assert.equal(whole.codes.slice(5 * 64), last.codes);
    assert.equal(whole.scales.slice(10), last.scales);
  }
});

test('roundToHalf: ties to even, subnormals, overflow', () => {
  const cases: [number, number][] = [
    [1 + 2 ** -11, 1],
    [1 + 3 * 2 ** -11, 1 + 2 ** -9],
    [-0.1, -0.0999755859375],
    [65504, 65504],
    [65519, 65504],
    [65520, Number.POSITIVE_INFINITY],
    [-1e9, Number.NEGATIVE_INFINITY],
    [2 ** -24, 2 ** -24],
    [2 ** -25, 0],
    [3 * 2 ** -25, 2 ** -23],
    [0, 0],
  ];
  for (const [x, half] of cases) assert.is(roundToHalf(x), half, `${x}`);
  assert.ok(holdsInHalf(0));
  assert.ok(holdsInHalf(2 ** -24));
  assert.not(holdsInHalf(1.4e-6));
  assert.not(holdsInHalf(1e-12));
  assert.not(holdsInHalf(70000));
});

test.run();
