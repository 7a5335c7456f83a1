import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BLOCK, CODE_QUANTIZE_ROWS } from '../../assembly/op_layout.js';
import { quantizeRows } from '../../bindings/executor/reference.js';
import { asF32, asI32 } from '../support/core.js';
import { runOp } from '../support/ops.js';
import { blockMajor } from '../support/quantized.js';
import { caseName, hostileRows, product, TestRandom } from '../support/random.js';

/** Blocks whose largest value lies below become zeros: 127 / max would overflow. */
const TINY = 2 ** -100;

function run(x: Float32Array, rows: number, k: number) {
  const blocks = Math.ceil(k / BLOCK);
  const [q, scales, sums] = runOp('quantize_rows', rows, (core) => {
    const out = core.output(rows * blocks * BLOCK);
    const scales = core.output(rows * blocks * 4);
    const sums = core.output(rows * blocks * 4);
    const fields = { out, scales, sums, x: core.input(x), k };
    return { code: CODE_QUANTIZE_ROWS, fields, rows, outputs: [out, scales, sums] };
  });
  return {
    q: blockMajor(new Int8Array(q!.buffer), blocks, rows),
    scales: blockMajor(asF32(scales!), blocks, rows),
    sums: blockMajor(asI32(sums!), blocks, rows),
  };
}

for (const shape of product({ rows: [1, 3, 9], k: [1, 3, 31, 32, 33, 64, 172, 4096] })) {
  test(`quantize_rows ${caseName(shape)}`, () => {
    const { rows, k } = shape;
    const x = hostileRows(rows, k, new TestRandom(rows * 1000 + k));
    const actual = run(x, rows, k);
    const expected = quantizeRows(Float64Array.from(x), k);
    const blocks = Math.ceil(k / BLOCK);
    for (let i = 0; i < actual.q.length; i++) {
      const block = i >> 5;
      const scale = actual.scales[block]!;
      const column = i % (blocks * BLOCK);
      const value = column < k ? x[Math.floor(i / (blocks * BLOCK)) * k + column]! : 0;
      // Half a step, and a hair for the rounding of the product in float32.
      const bound = Math.max((scale / 2) * (1 + 1e-4), TINY);
      const error = Math.abs(value - actual.q[i]! * scale);
      assert.ok(error <= bound, `element ${i}: ${value} is ${actual.q[i]} * ${scale}`);
      if (column >= k) assert.is(actual.q[i], 0, `padding ${i}`);
    }
    for (let block = 0; block < actual.scales.length; block++) {
      const scale = expected.scales[block]!;
      assert.is(actual.scales[block], scale * 127 < TINY ? 0 : Math.fround(scale), 'scale');
      const q = actual.q.subarray(block * BLOCK, (block + 1) * BLOCK);
      assert.is(
        actual.sums[block],
        q.reduce((a, b) => a + b, 0),
        'sum',
      );
    }
  });
}

test('halves round to even and the largest value reaches 127, of both signs', () => {
  const x = new Float32Array(32);
  x.set([127, -127, 0.5, 1.5, 2.5, -0.5, -1.5]);
  assert.equal([...run(x, 1, 32).q.slice(0, 7)], [127, -127, 0, 2, 2, 0, -2]);
  // The same in a tail.
  assert.equal([...run(x.slice(0, 7), 1, 7).q.slice(0, 7)], [127, -127, 0, 2, 2, 0, -2]);
});

for (const value of [Infinity, -Infinity, NaN]) {
  for (const k of [32, 33, 70]) {
    for (const at of [0, 13, k - 1]) {
      test(`${value} at ${at} of ${k} makes the scale of its block NaN, and no other`, () => {
        const x = Float32Array.from({ length: k }, (_, i) => i + 1);
        x[at] = value;
        const { scales } = run(x, 1, k);
        scales.forEach((scale, block) => {
          assert.is(Number.isNaN(scale), block === at >> 5, `block ${block}: ${scale}`);
        });
      });
    }
  }
}

test.run();
