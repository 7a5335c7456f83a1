// How matvec_lut4 rounds, and its largest integers, in the layout that the kernel file describes.

import { test } from 'uvu';
import { BLOCK, CODE_MATMUL } from '../../assembly/op_layout.js';
import {
  matmulQuantized,
  type QuantizedRows,
  quantizeRows,
} from '../../bindings/executor/reference.js';
import { withScaleType } from '../../bindings/formats/format.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { assertClose } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { runOp, withHeader } from '../support/ops.js';
import { paletteWeight } from '../support/palettes.js';
import { blockMajor, magnitudes, withF32Scales } from '../support/quantized.js';
import { normals, TestRandom } from '../support/random.js';

const FORMAT = withScaleType(paletteFormat(4), 'f32');

function run(x: QuantizedRows, m: number, weight: Uint8Array, n: number, k: number): Uint8Array {
  const blocks = Math.ceil(k / BLOCK);
  const [out] = runOp('matmul_lut4', Math.ceil(n / 8), (core) => {
    const out = core.output(m * n * 4);
    const fields = {
      out,
      x: core.input(blockMajor(x.q, m, blocks)),
      scales: core.input(blockMajor(Float32Array.from(x.scales), m, blocks)),
      sums: core.input(blockMajor(x.sums, m, blocks)),
      weight: core.input(withHeader(FORMAT, [n, k], weight)),
      n,
      k,
    };
    return { code: CODE_MATMUL, fields, rows: m, scratchBytes: m * 32, outputs: [out] };
  });
  return out!;
}

test('sums are rounded as agreed: acc += f32(dot) * scaleX, block by block, then scaleW', () => {
  const [n, k] = [19, 172];
  const blocks = Math.ceil(k / BLOCK);
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
      for (let i = 0; i < BLOCK; i++) {
        dot += x.q[b * BLOCK + i]! * (w.q[at * BLOCK + i]! - w.zeroPoint);
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
