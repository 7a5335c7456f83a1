// matvec_q4, matmul_q4 and matmul_q8 against the reference, and one row alone against the same row among
// others: a token's result must not depend on how the prompt was cut.

import { test } from 'uvu';
import { CODE_MATMUL, FORMAT_Q4, FORMAT_Q8 } from '../../assembly/op_layout.js';
import {
  matmulQuantized,
  type QuantizedRows,
  quantizeRows,
} from '../../bindings/executor/reference.js';
import { GROUP_SIZE, paddedK } from '../../bindings/formats.js';
import { assertClose, assertSameBytes } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { DTYPES, runOp } from '../support/ops.js';
import { type LinearShape, linearWeight } from '../support/packed.js';
import { blockMajor, magnitudes, oneRow, withF32Scales } from '../support/quantized.js';
import { caseName, hostileRows, normals, product, TestRandom } from '../support/random.js';

const SHAPES = [
  ...product({ m: [1, 2, 4, 5, 9], n: [1, 7, 8, 65], k: [32, 172] }),
  { m: 3, n: 9, k: 4096 },
];
const FORMATS = product({
  bits: [4, 8] as const,
  scaleType: ['f32', 'f16', 'bf16'] as const,
  hasBias: [false, true],
});

function run(x: QuantizedRows, m: number, weight: Uint8Array, shape: LinearShape): Uint8Array {
  const { n, k, bits, scaleType, hasBias } = shape;
  const blocks = paddedK(k) / GROUP_SIZE;
  const [out] = runOp(`matmul_q${bits}`, Math.ceil(n / 8), (core) => {
    const out = core.output(m * n * 4);
    const fields = {
      out,
      x: core.input(blockMajor(x.q, m, blocks)),
      scales: core.input(blockMajor(Float32Array.from(x.scales), m, blocks)),
      sums: core.input(blockMajor(x.sums, m, blocks)),
      weight: core.input(weight),
      n,
      k,
      format: bits === 4 ? FORMAT_Q4 : FORMAT_Q8,
      dtype: DTYPES[scaleType],
      hasBias,
    };
    return {
      code: CODE_MATMUL,
      fields,
      rows: m,
      scratchBytes: Math.max(m * 32, 2 * paddedK(k)),
      outputs: [out],
    };
  });
  return out!;
}

for (const format of FORMATS) {
  for (const { m, n, k } of SHAPES) {
    test(`matmul ${caseName({ ...format, m, n, k })}`, () => {
      const random = new TestRandom(m * 100000 + n * 1000 + k);
      const blocks = paddedK(k) / GROUP_SIZE;
      const x = withF32Scales(quantizeRows(Float64Array.from(hostileRows(m, k, random)), k));
      const weight = linearWeight({ ...format, n, k }, random);
      const out = run(x, m, weight.packed, { ...format, n, k });
      const expected = matmulQuantized(x, weight.rows, blocks);
      const scales = matmulQuantized(...magnitudes(x, weight.rows), blocks);
      assertClose(asF32(out), expected, 'matmulQuantized', 'matmul', scales);

      for (let row = 0; row < m; row++) {
        const alone = run(oneRow(x, row, blocks), 1, weight.packed, { ...format, n, k });
        assertSameBytes(alone, out.slice(row * n * 4, (row + 1) * n * 4), `row ${row} alone`);
      }
    });
  }
}

test('sums are rounded as agreed: acc += f32(dot) * (scaleW * scaleX), block by block', () => {
  const [n, k] = [9, 172];
  const blocks = paddedK(k) / GROUP_SIZE;
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
        for (let i = 0; i < GROUP_SIZE; i++) {
          dot += x.q[b * GROUP_SIZE + i]! * (w.q[at * GROUP_SIZE + i]! - w.zeroPoint);
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
