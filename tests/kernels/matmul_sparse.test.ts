// Sparse matrices: floats against float64 loops, blocks without weights, and numbers that are none.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { BLOCK, CODE_MATMUL, SPARSE_BYTES } from '../../assembly/op_layout.js';
import { matmul, quantizeRows } from '../../bindings/executor/reference.js';
import { packBits } from '../../bindings/formats/bits.js';
import { floatFormat, paddedK, type WeightFormat } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import type { Role } from '../../bindings/formats/parts.js';
import { encodeStarts, sparseFormat } from '../../bindings/formats/sparse.js';
import { readRows } from '../../bindings/model/read_rows.js';
import type { Weight } from '../../bindings/model/weight.js';
import { assertClose, assertSameBytes } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { caseOf, storedWeight, weightOf } from '../support/formats.js';
import { runOp } from '../support/ops.js';
import { packIn, partBytesOf } from '../support/packed_weight.js';
import { blockMajor } from '../support/quantized.js';
import { caseName, hostileRows, product, TestRandom } from '../support/random.js';

const SHAPES = [
  ...product({ m: [1, 2, 9], n: [1, 8, 17, 65], k: [1, 32, 172] }),
  { m: 3, n: 9, k: 4096 },
];

/** x: f32 [m, k] for floats, else quantized. */
async function run(weight: Weight, x: Float32Array, nanScaleOfBlock?: number): Promise<Uint8Array> {
  const [n = 0, k = 0] = weight.shape;
  const m = x.length / k;
  const bytes = await partBytesOf(weight);
  const blocks = Math.ceil(k / BLOCK);
  const rows = quantizeRows(Float64Array.from(x), k);
  if (nanScaleOfBlock !== undefined)
    rows.scales.fill(Number.NaN, nanScaleOfBlock, nanScaleOfBlock + 1);
  const [out] = runOp(caseOf(weight.format), Math.ceil(n / 8), (core) => {
    const out = core.output(m * n * 4);
    const shape = { out, weight: packIn(core, weight, bytes), n, k };
    const fields = weight.format.float
      ? { ...shape, x: core.input(x) }
      : {
          ...shape,
          x: core.input(blockMajor(rows.q, m, blocks)),
          scales: core.input(blockMajor(Float32Array.from(rows.scales), m, blocks)),
          sums: core.input(blockMajor(rows.sums, m, blocks)),
        };
    const scratchBytes = SPARSE_BYTES + m * 32;
    return { code: CODE_MATMUL, fields, rows: m, scratchBytes, outputs: [out] };
  });
  return out!;
}

for (const type of ['f32', 'f16', 'bf16'] as const) {
  for (const shape of SHAPES) {
    test(`matmul_sparse_float ${type} ${caseName(shape)}`, async () => {
      const { m, n, k } = shape;
      const random = new TestRandom(m * 100000 + n * 1000 + k);
      const x = hostileRows(m, k, random);
      const weight = storedWeight(sparseFormat(floatFormat(type)), n, k, random);
      const out = await run(weight, x);
      const w = await readRows(weight, 0, n);
      const x64 = Float64Array.from(x);
      const magnitudes = matmul(x64.map(Math.abs), w.map(Math.abs), k);
      assertClose(asF32(out), matmul(x64, w, k), 'matmulFloat', 'matmul_sparse_float', magnitudes);
      for (let row = 0; row < m; row++) {
        const alone = await run(weight, x.slice(row * k, (row + 1) * k));
        assertSameBytes(alone, out.slice(row * n * 4, (row + 1) * n * 4), `row ${row} alone`);
      }
    });
  }
}

/** Weights that are 0 as all codes or floats of them are stored, or as none is. */
function zeros(format: WeightFormat, there: boolean): Weight {
  const [n, k] = [8, 96];
  const bits = new Uint8Array(n * paddedK(k)).fill(there ? 1 : 0);
  // What is there in any case: the first block.
  for (let row = 0; row < n; row++) bits.fill(1, row * k, row * k + 32);
  const perRow = there ? k : 32;
  const starts = Array.from({ length: n + 1 }, (_, row) => row * perRow);
  const nonZeros = starts.at(-1)!;
  const codes = new Uint8Array((nonZeros * format.bits) / 8).fill(format.float ? 0 : 0x88);
  const scales = new Float32Array(n * 3).fill(0.5);
  const parts: Partial<Record<Role, Uint8Array>> = {
    codes,
    mask: packBits(bits, 1),
    starts: encodeStarts(starts),
    scales: new Uint8Array(scales.buffer),
  };
  const stored = { ...format, sparse: { nonZeros } };
  return weightOf(stored, n, k, ({ role }) => parts[role]!);
}

const ZEROS = [
  sparseFormat(floatFormat('f32')),
  sparseFormat({ ...linearFormat(4, true), scale: { rows: 1, k: 32, dtype: 'f32' } }),
] as const;

for (const format of ZEROS) {
  test(`${caseOf(format)}: a block without weights adds what a block of zeros adds`, async () => {
    for (const value of [1.5, -2, Number.NaN, Number.POSITIVE_INFINITY]) {
      const x = new Float32Array(96).fill(0.25);
      x[70] = format.float ? value : 1;
      const broken = !format.float && !Number.isFinite(value) ? 2 : undefined;
      const [skipped, added] = await Promise.all(
        [false, true].map((there) => run(zeros(format, there), x, broken)),
      );
      const [a, b] = [asF32(skipped!), asF32(added!)];
      assert.equal([...a], [...b], `${value}`);
      assert.is(a.some(Number.isNaN), !Number.isFinite(value), `${value}`);
    }
  });
}

test.run();
