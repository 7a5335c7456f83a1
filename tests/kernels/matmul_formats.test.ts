// Every format of int8 activations from its stored bytes through packing to its matmul, against float64 loops over the decoded
// weights; and one row alone against the same row among others: a token's result must not depend on how the
// prompt was cut.

import { test } from 'uvu';
import { BLOCK, CODE_MATMUL, SPARSE_BYTES } from '../../assembly/op_layout.js';
import { matmul, type QuantizedRows, quantizeRows } from '../../bindings/executor/reference.js';
import { codecOf } from '../../bindings/formats/codecs.js';
import { takesFloats } from '../../bindings/formats/format.js';
import { readRows } from '../../bindings/model/read_rows.js';
import type { Weight } from '../../bindings/model/weight.js';
import { assertClose, assertSameBytes } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { caseOf, FORMATS, storedWeight } from '../support/formats.js';
import { runOp } from '../support/ops.js';
import { packIn, partBytesOf } from '../support/packed_weight.js';
import { blockMajor, oneRow, withF32Scales } from '../support/quantized.js';
import { caseName, hostileRows, product, TestRandom } from '../support/random.js';

const SHAPES = [
  ...product({ m: [1, 2, 5, 9], n: [1, 8, 17, 65], k: [32, 172] }),
  { m: 3, n: 9, k: 4096 },
];

type Bytes = Awaited<ReturnType<typeof partBytesOf>>;

function run(x: QuantizedRows, m: number, weight: Weight, bytes: Bytes): Uint8Array {
  const [n = 0, k = 0] = weight.shape;
  const blocks = Math.ceil(k / BLOCK);
  const [out] = runOp(caseOf(weight.format), Math.ceil(n / 8), (core) => {
    const out = core.output(m * n * 4);
    const fields = {
      out,
      x: core.input(blockMajor(x.q, m, blocks)),
      scales: core.input(blockMajor(Float32Array.from(x.scales), m, blocks)),
      sums: core.input(blockMajor(x.sums, m, blocks)),
      weight: packIn(core, weight, bytes),
      n,
      k,
    };
    const scratchBytes = Math.max(SPARSE_BYTES + m * 32, 64 * blocks);
    return { code: CODE_MATMUL, fields, rows: m, scratchBytes, outputs: [out] };
  });
  return out!;
}

/** x as the kernels see it: [m, k]. */
function dequantized({ q, scales }: QuantizedRows, k: number): Float64Array {
  const stride = Math.ceil(k / BLOCK) * BLOCK;
  const out = new Float64Array((q.length / stride) * k);
  for (let i = 0; i < out.length; i++) {
    const at = Math.floor(i / k) * stride + (i % k);
    out[i] = q[at]! * scales[Math.floor(at / BLOCK)]!;
  }
  return out;
}

/** Codes and biases by magnitude: kernels add them up apart, and they may cancel. */
function magnitudes(w: Float64Array, weight: Weight, bytes: Bytes): Float64Array {
  const [n = 0, k = 0] = weight.shape;
  const zeros = { ...bytes, codes: new Uint8Array(bytes.codes!.length) };
  const offsets = codecOf(weight.format).decode(weight.format, zeros, 0, n, k);
  return w.map((value, i) => Math.abs(value - offsets[i]!) + Math.abs(offsets[i]!));
}

for (const format of FORMATS.filter((format) => !takesFloats(format))) {
  for (const { m, n, k } of SHAPES) {
    test(`matmul ${caseOf(format)}, ${caseName({ m, n, k })}`, async () => {
      const random = new TestRandom(m * 100000 + n * 1000 + k);
      const blocks = Math.ceil(k / BLOCK);
      const x = withF32Scales(quantizeRows(Float64Array.from(hostileRows(m, k, random)), k));
      const weight = storedWeight(format, n, k, random);
      const bytes = await partBytesOf(weight);
      const out = run(x, m, weight, bytes);

      const w = await readRows(weight, 0, n);
      const rows = dequantized(x, k);
      const terms = magnitudes(w, weight, bytes);
      // Equal blocks round alike each time they are added: then errors have one sign.
      const alike = Math.max(1, blocks / 32);
      const scales = matmul(rows.map(Math.abs), terms, k).map((size) => alike * size);
      assertClose(asF32(out), matmul(rows, w, k), 'matmulQuantized', 'matmul', scales);

      for (let row = 0; row < m; row++) {
        const alone = run(oneRow(x, row, blocks), 1, weight, bytes);
        assertSameBytes(alone, out.slice(row * n * 4, (row + 1) * n * 4), `row ${row} alone`);
      }
    });
  }
}

test.run();
