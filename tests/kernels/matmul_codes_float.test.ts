// Every format whose matmul takes floats, from its stored bytes: the same bits as float weights of the decoded
// values, within rounding of float64 loops over them, and one row alone as among others.

import { test } from 'uvu';
import { CODE_MATMUL, FLOAT_TILE_BYTES } from '../../assembly/op_layout.js';
import { matmul } from '../../bindings/executor/reference.js';
import { codecOf } from '../../bindings/formats/codecs.js';
import { floatFormat, takesFloats, withOutliers } from '../../bindings/formats/format.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { assertClose, assertSameBytes } from '../support/compare.js';
import { asF32, type Block, type Core } from '../support/core.js';
import { caseOf, FORMATS, storedWeight, wholeRows } from '../support/formats.js';
import { runOp, withHeader } from '../support/ops.js';
import { packFloat } from '../support/packed.js';
import { packIn, partBytesOf } from '../support/packed_weight.js';
import { caseName, hostileRows, product, TestRandom } from '../support/random.js';

const SHAPES = [
  ...product({ m: [1, 2, 5, 9], n: [1, 8, 17, 65], k: [32, 172] }),
  { m: 3, n: 9, k: 4096 },
];

/** x [m, k] times the matrix that `place` packs, transposed. */
function run(x: Float32Array, n: number, k: number, place: (core: Core) => Block): Uint8Array {
  const m = x.length / k;
  const [out] = runOp('matmul', Math.ceil(n / 8), (core) => {
    const out = core.output(m * n * 4);
    const fields = { out, x: core.input(x), weight: place(core), n, k };
    const scratchBytes = FLOAT_TILE_BYTES + 32 * m;
    return { code: CODE_MATMUL, fields, rows: m, scratchBytes, outputs: [out] };
  });
  return out!;
}

for (const format of FORMATS.filter((format) => !format.float && takesFloats(format))) {
  for (const { m, n: atLeast, k } of SHAPES) {
    const n = wholeRows(format, atLeast);
    test(`matmul ${caseOf(format)}, ${caseName({ m, n, k })}`, async () => {
      const random = new TestRandom(m * 100000 + n * 1000 + k);
      const x = hostileRows(m, k, random);
      const weight = storedWeight(format, n, k, random);
      const bytes = await partBytesOf(weight);
      const out = run(x, n, k, (core) => packIn(core, weight, bytes));

      const w = await readRows(weight, 0, n);
      const { packed } = packFloat(w, n, k, 'f32');
      const float = (core: Core) => core.input(withHeader(floatFormat('f32'), [n, k], packed));
      if (!format.outliers) assertSameBytes(out, run(x, n, k, float), 'as float weights');

      const x64 = Float64Array.from(x);
      // Few values and equal inputs round alike each time they are added: then errors have one sign.
      const alike = Math.max(1, k / 64);
      const dense = codecOf(format).decode(withOutliers(format, 0), bytes, 0, n, k);
      const terms = w.map((value, i) => Math.abs(dense[i]!) + Math.abs(value - dense[i]!));
      const scales = matmul(x64.map(Math.abs), terms, k).map((size) => alike * size);
      assertClose(asF32(out), matmul(x64, w, k), 'matmulFloat', 'matmul', scales);

      for (let row = 0; row < m; row++) {
        const one = x.slice(row * k, (row + 1) * k);
        const alone = run(one, n, k, (core) => packIn(core, weight, bytes));
        assertSameBytes(alone, out.slice(row * n * 4, (row + 1) * n * 4), `row ${row} alone`);
      }
    });
  }
}

test.run();
