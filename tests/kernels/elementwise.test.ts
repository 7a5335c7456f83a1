// add, silu_mul and select_rows: ops whose elements do not meet.

import { test } from 'uvu';
import { CODE_ADD, CODE_SELECT_ROWS, CODE_SILU_MUL } from '../../assembly/op_layout.js';
import * as reference from '../../bindings/executor/reference.js';
import { assertClose } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { runOp } from '../support/ops.js';
import { caseName, hostileRows, product, TestRandom } from '../support/random.js';

const SHAPES = product({ rows: [1, 2, 9], k: [1, 3, 32, 172] });

for (const shape of SHAPES) {
  const { rows, k } = shape;
  const random = new TestRandom(rows * 1000 + k);
  const x = hostileRows(rows, k, random);
  const y = hostileRows(rows, k, random).reverse();
  const [x64, y64] = [Float64Array.from(x), Float64Array.from(y)];

  test(`add ${caseName(shape)}`, () => {
    const [out] = runOp('add', rows, (core) => {
      const out = core.input(x);
      return { code: CODE_ADD, fields: { out, x: core.input(y), k }, rows, outputs: [out] };
    });
    assertClose(asF32(out!), reference.add(x64, y64), 'add', 'add');
  });

  test(`silu_mul ${caseName(shape)}`, () => {
    const [out, inPlace] = [false, true].map((reuse) => {
      const [bytes] = runOp('silu_mul', rows, (core) => {
        const gate = core.input(x);
        const out = reuse ? gate : core.output(x.byteLength);
        const fields = { out, x: gate, y: core.input(y), k };
        return { code: CODE_SILU_MUL, fields, rows, outputs: [out] };
      });
      return asF32(bytes!);
    });
    const expected = reference.siluMul(x64, y64);
    // Where e^-z would overflow, the kernel's largest power stands in: less than 2^-100 of z * up.
    const scales = expected.map(
      (value, i) => Math.abs(value) + Math.abs(x[i]! * y[i]!) * 2 ** -100,
    );
    assertClose(out!, expected, 'siluMul', 'silu_mul', scales);
    assertClose(inPlace!, out!, 'exact', 'silu_mul in place');
  });

  test(`select_rows ${caseName(shape)}`, () => {
    const list = [rows - 1, 0];
    const [out] = runOp('select_rows', list.length, (core) => {
      const out = core.output(list.length * k * 4);
      const fields = { out, x: core.input(x), k };
      return { code: CODE_SELECT_ROWS, fields, rows, logitRows: list, outputs: [out] };
    });
    assertClose(asF32(out!), reference.embed(list, x64, k), 'exact', 'select_rows');
  });
}

test.run();
