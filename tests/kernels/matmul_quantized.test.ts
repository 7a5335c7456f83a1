// How matvec_q4 and matvec_q8 round, and their largest integers, in the layouts that the kernel files describe.

import { test } from 'uvu';
import { BLOCK, CODE_MATMUL } from '../../assembly/op_layout.js';
import {
  matmulQuantized,
  type QuantizedRows,
  quantizeRows,
} from '../../bindings/executor/reference.js';
import { assertClose } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { runOp, withHeader } from '../support/ops.js';
import { formatOf, type LinearShape, linearWeight } from '../support/packed.js';
import { blockMajor, magnitudes, withF32Scales } from '../support/quantized.js';
import { normals, product, TestRandom } from '../support/random.js';

function run(x: QuantizedRows, m: number, weight: Uint8Array, shape: LinearShape): Uint8Array {
  const { n, k, bits } = shape;
  const blocks = Math.ceil(k / BLOCK);
  const [out] = runOp(`matmul_q${bits}`, Math.ceil(n / 8), (core) => {
    const out = core.output(m * n * 4);
    const fields = {
      out,
      x: core.input(blockMajor(x.q, m, blocks)),
      scales: core.input(blockMajor(Float32Array.from(x.scales), m, blocks)),
      sums: core.input(blockMajor(x.sums, m, blocks)),
      weight: core.input(withHeader(formatOf(shape), [n, k], weight)),
      n,
      k,
    };
    return {
      code: CODE_MATMUL,
      fields,
      rows: m,
      scratchBytes: Math.max(64 + m * 32, 2 * blocks * BLOCK),
      outputs: [out],
    };
  });
  return out!;
}

test('sums are rounded as agreed: acc += f32(dot) * (scaleW * scaleX), block by block', () => {
  const [n, k] = [9, 172];
  const blocks = Math.ceil(k / BLOCK);
  const f32 = Math.fround;
  for (const { bits, hasBias } of product({ bits: [4, 8] as const, hasBias: [false, true] })) {
    const random = new TestRandom(bits);
    const shape = { n, k, bits, scaleType: 'f32', hasBias } as const;
    const { rows: w, packed } = linearWeight(shape, random);
    const x = withF32Scales(quantizeRows(Float64Array.from(normals(k, random)), k));
    const expected = new Float32Array(n);
    for (let row = 0; row < n; row++) {
      let acc = 0;
      for (let b = 0; b < blocks; b++) {
        const at = row * blocks + b;
        let dot = 0;
        for (let i = 0; i < BLOCK; i++) {
          dot += x.q[b * BLOCK + i]! * (w.q[at * BLOCK + i]! - w.zeroPoint);
        }
        acc = f32(acc + f32(dot * f32(w.scales[at]! * x.scales[b]!)));
        if (w.biases) acc = f32(acc + f32(x.sums[b]! * f32(w.biases[at]! * x.scales[b]!)));
      }
      expected[row] = acc;
    }
    assertClose(asF32(run(x, 1, packed, shape)), expected, 'exact', `${bits} bits`);
  }
});

test('the largest integers do not overflow', () => {
  const k = 64;
  const sign = (i: number) => (i % 3 === 0 ? -127 : 127);
  for (const { bits, hasBias } of product({ bits: [4, 8] as const, hasBias: [false, true] })) {
    const shape = { n: 8, k, bits, scaleType: 'f32', hasBias } as const;
    for (const pick of [() => 127, () => -127, sign]) {
      const q = Int8Array.from({ length: k }, (_, i) => pick(i));
      const sums = Int32Array.from([0, 1], (b) =>
        q.subarray(b * 32, b * 32 + 32).reduce((a, c) => a + c, 0),
      );
      const x = { q, sums, scales: Float64Array.from([1, 1]) };
      const weight = linearWeight(shape, new TestRandom(bits));
      const expected = matmulQuantized(x, weight.rows, 2);
      const scales = matmulQuantized(...magnitudes(x, weight.rows), 2);
      const out = asF32(run(x, 1, weight.packed, shape));
      assertClose(out, expected, 'matmulQuantized', `${bits} bits`, scales);
    }
  }
});

test.run();
