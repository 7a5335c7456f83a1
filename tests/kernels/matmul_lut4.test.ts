// matvec_lut4 and matmul_lut4 against the reference, and one row alone against the same row among others.

import { test } from 'uvu';
import { CODE_MATMUL, FORMAT_LUT4 } from '../../assembly/op_layout.js';
import {
  matmulQuantized,
  type QuantizedRows,
  quantizeRows,
} from '../../bindings/executor/reference.js';
import { GROUP_SIZE, paddedK } from '../../bindings/formats.js';
import { assertClose, assertSameBytes } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { runOp } from '../support/ops.js';
import { paletteWeight } from '../support/palettes.js';
import { blockMajor, magnitudes, oneRow, withF32Scales } from '../support/quantized.js';
import { caseName, hostileRows, normals, product, TestRandom } from '../support/random.js';

const SHAPES = [
  ...product({ m: [1, 2, 4, 5, 9], n: [1, 7, 8, 16, 17, 65], k: [32, 172] }),
  { m: 3, n: 9, k: 4096 },
];

function run(x: QuantizedRows, m: number, weight: Uint8Array, n: number, k: number): Uint8Array {
  const blocks = paddedK(k) / GROUP_SIZE;
  const [out] = runOp('matmul_lut4', Math.ceil(n / 8), (core) => {
    const out = core.output(m * n * 4);
    const fields = {
      out,
      x: core.input(blockMajor(x.q, m, blocks)),
      scales: core.input(blockMajor(Float32Array.from(x.scales), m, blocks)),
      sums: core.input(blockMajor(x.sums, m, blocks)),
      weight: core.input(weight),
      n,
      k,
      format: FORMAT_LUT4,
    };
    return { code: CODE_MATMUL, fields, rows: m, scratchBytes: m * 32, outputs: [out] };
  });
  return out!;
}

for (const { m, n, k } of SHAPES) {
  test(`matmul_lut4 ${caseName({ m, n, k })}`, () => {
    const random = new TestRandom(m * 100000 + n * 1000 + k);
    const blocks = paddedK(k) / GROUP_SIZE;
    const x = withF32Scales(quantizeRows(Float64Array.from(hostileRows(m, k, random)), k));
    const { rows, packed } = paletteWeight({ n, k, scaleType: 'f32' }, random);
    const out = run(x, m, packed, n, k);
    const expected = matmulQuantized(x, rows, blocks);
    const scales = matmulQuantized(...magnitudes(x, rows), blocks);
    assertClose(asF32(out), expected, 'matmulQuantized', 'matmul_lut4', scales);

    for (let row = 0; row < m; row++) {
      const alone = run(oneRow(x, row, blocks), 1, packed, n, k);
      assertSameBytes(alone, out.slice(row * n * 4, (row + 1) * n * 4), `row ${row} alone`);
    }
  });
}

test('sums are rounded as agreed: acc += f32(dot) * scaleX, block by block, then scaleW', () => {
  const [n, k] = [19, 172];
  const blocks = paddedK(k) / GROUP_SIZE;
  const f32 = Math.fround;
  const random = new TestRandom(1);
  const { rows: w, packed } = paletteWeight({ n, k, scaleType: 'f32' }, random);
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
      acc = f32(acc + f32(dot * x.scales[b]!));
    }
    expected[row] = f32(acc * w.scales[row * blocks]!);
  }
  assertClose(asF32(run(x, 1, packed, n, k)), expected, 'exact', 'matvec_lut4');
});

test('the largest integers do not overflow', () => {
  const [n, k] = [16, 64];
  const ends = [() => 127, () => -127, (i: number) => (i % 3 === 0 ? -127 : 127)];
  for (const [pick, entry] of ends.flatMap((pick) => [-64, 63].map((e) => [pick, e] as const))) {
    const q = Int8Array.from({ length: k }, (_, i) => pick(i));
    const sums = Int32Array.from([0, 1], (b) =>
      q.subarray(b * 32, b * 32 + 32).reduce((a, c) => a + c, 0),
    );
    const x = { q, sums, scales: Float64Array.from([1, 1]) };
    const { rows, packed } = paletteWeight({ n, k, scaleType: 'f32' }, new TestRandom(2));
    // Both panels get a table of one value.
    for (const panel of [0, packed.length / 2]) packed.fill(entry + 64, panel, panel + 16);
    const same = { ...rows, q: rows.q.map(() => entry + 64) };
    const expected = matmulQuantized(x, same, 2);
    const scales = matmulQuantized(...magnitudes(x, same), 2);
    assertClose(asF32(run(x, 1, packed, n, k)), expected, 'matmulQuantized', `${entry}`, scales);
  }
});

test.run();
