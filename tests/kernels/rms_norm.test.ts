import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CODE_RMS_NORM } from '../../assembly/op_layout.js';
import { rmsNorm } from '../../bindings/executor/reference.js';
import { assertClose } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { runOp } from '../support/ops.js';
import { caseName, hostileRows, normals, product, TestRandom } from '../support/random.js';

for (const shape of product({ rows: [1, 3, 9], k: [1, 15, 32, 64, 172, 4096] })) {
  test(`rms_norm ${caseName(shape)}`, () => {
    const { rows, k } = shape;
    const random = new TestRandom(rows * 1000 + k);
    const x = hostileRows(rows, k, random);
    const weight = normals(k, random);
    const eps = Math.fround(1e-5);
    const [out, inPlace] = [false, true].map((reuse) => {
      const [bytes] = runOp('rms_norm', rows, (core) => {
        const input = core.input(x);
        const out = reuse ? input : core.output(x.byteLength);
        const fields = { out, x: input, weight: core.input(weight), k, float: eps };
        return { code: CODE_RMS_NORM, fields, rows, outputs: [out] };
      });
      return asF32(bytes!);
    });
    const expected = rmsNorm(Float64Array.from(x), Float64Array.from(weight), eps);
    assertClose(out!, expected, 'rmsNorm', 'rms_norm');
    assertClose(inPlace!, out!, 'exact', 'rms_norm in place');
  });
}

test('a row whose squares overflow is NaN, not zeros; the rows beside it are as ever', () => {
  for (const k of [15, 172]) {
    const x = new Float32Array(3 * k).fill(1);
    x[k + 7] = 2e19;
    const [bytes] = runOp('rms_norm', 3, (core) => {
      const out = core.output(x.byteLength);
      const weight = core.input(new Float32Array(k).fill(1));
      const fields = { out, x: core.input(x), weight, k, float: 1e-5 };
      return { code: CODE_RMS_NORM, fields, rows: 3, outputs: [out] };
    });
    const rows = [0, 1, 2].map((row) => asF32(bytes!).slice(row * k, (row + 1) * k));
    assert.ok(rows[1]!.every(Number.isNaN));
    for (const row of [rows[0]!, rows[2]!]) assert.ok(row.every((value) => value > 0.99));
  }
});

test.run();
