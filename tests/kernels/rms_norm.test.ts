import { test } from 'uvu';
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

test.run();
