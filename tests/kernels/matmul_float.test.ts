import { test } from 'uvu';
import { CODE_MATMUL } from '../../assembly/op_layout.js';
import { matmul } from '../../bindings/executor/reference.js';
import { floatFormat } from '../../bindings/formats/format.js';
import { assertClose, assertSameBytes } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { runOp, withHeader } from '../support/ops.js';
import { packFloat } from '../support/packed.js';
import { caseName, hostileRows, normals, product, TestRandom } from '../support/random.js';

const SHAPES = [
  ...product({ m: [1, 2, 3, 4, 5, 9], n: [1, 7, 8, 65], k: [1, 32, 64, 172] }),
  { m: 5, n: 9, k: 4096 },
];

for (const type of ['f32', 'f16', 'bf16'] as const) {
  for (const shape of SHAPES) {
    test(`matmul_float ${type} ${caseName(shape)}`, () => {
      const { m, n, k } = shape;
      const random = new TestRandom(m * 100000 + n * 1000 + k);
      const x = hostileRows(m, k, random);
      const w = packFloat(normals(n * k, random), n, k, type);
      const run = (rows: Float32Array) => {
        const [out] = runOp('matmul_float', Math.ceil(n / 8), (core) => {
          const out = core.output((rows.length / k) * n * 4);
          const weight = core.input(withHeader(floatFormat(type), [n, k], w.packed));
          const fields = { out, x: core.input(rows), weight, n, k };
          const m = rows.length / k;
          return { code: CODE_MATMUL, fields, rows: m, scratchBytes: 32 * m, outputs: [out] };
        });
        return out!;
      };
      const out = run(x);
      const x64 = Float64Array.from(x);
      const magnitudes = matmul(x64.map(Math.abs), w.values.map(Math.abs), k);
      assertClose(asF32(out), matmul(x64, w.values, k), 'matmulFloat', 'matmul_float', magnitudes);

      for (let row = 0; row < m; row++) {
        const alone = run(x.slice(row * k, (row + 1) * k));
        assertSameBytes(alone, out.slice(row * n * 4, (row + 1) * n * 4), `row ${row} alone`);
      }
    });
  }
}

test.run();
