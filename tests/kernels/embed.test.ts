import { test } from 'uvu';
import {
  CODE_EMBED,
  FORMAT_FLOAT,
  FORMAT_LUT4,
  FORMAT_Q4,
  FORMAT_Q8,
} from '../../assembly/op_layout.js';
import { embed } from '../../bindings/executor/reference.js';
import { assertClose } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { DTYPES, runOp } from '../support/ops.js';
import { dequantize, linearWeight, packFloat } from '../support/packed.js';
import { paletteWeight } from '../support/palettes.js';
import { caseName, hostileRows, product, TestRandom } from '../support/random.js';

const FLOAT_TYPES = ['f32', 'f16', 'bf16'] as const;
const VOCAB = 21;
const TOKENS = [20, 0, 7, 8, 7];
const ROWS = TOKENS.map((token) => ({ token }));

for (const one of product({ type: FLOAT_TYPES, k: [3, 32, 172] })) {
  test(`embed_float ${caseName(one)}`, () => {
    const { type, k } = one;
    const table = packFloat(hostileRows(VOCAB, k, new TestRandom(k)), VOCAB, k, type);
    const [out] = runOp('embed_float', ROWS.length, (core) => {
      const out = core.output(ROWS.length * k * 4);
      const weight = core.input(table.packed);
      const fields = { out, weight, k, format: FORMAT_FLOAT, dtype: DTYPES[type] };
      return { code: CODE_EMBED, fields, rows: ROWS, outputs: [out] };
    });
    assertClose(asF32(out!), embed(TOKENS, table.values, k), 'exact', 'embed_float');
  });
}

for (const one of product({
  bits: [4, 8] as const,
  scaleType: FLOAT_TYPES,
  hasBias: [false, true],
  k: [32, 172],
})) {
  test(`embed_linear ${caseName(one)}`, () => {
    const { bits, scaleType, hasBias, k } = one;
    const weight = linearWeight({ n: VOCAB, ...one }, new TestRandom(k));
    const [out] = runOp('embed_linear', ROWS.length, (core) => {
      const out = core.output(ROWS.length * k * 4);
      const format = bits === 4 ? FORMAT_Q4 : FORMAT_Q8;
      const table = core.input(weight.packed);
      const dtype = DTYPES[scaleType];
      const fields = { out, weight: table, k, format, dtype, hasBias };
      return { code: CODE_EMBED, fields, rows: ROWS, outputs: [out] };
    });
    const { q, scales, zeroPoint } = weight.rows;
    const products = dequantize(
      { q, scales: scales.map(Math.abs), biases: null, zeroPoint },
      VOCAB,
      k,
    );
    const expected = embed(TOKENS, dequantize(weight.rows, VOCAB, k), k);
    // Product and bias may cancel: each is rounded before they meet.
    const sizes = embed(TOKENS, products, k).map((p, i) => Math.abs(p) + Math.abs(expected[i]!));
    assertClose(asF32(out!), expected, 'embedLinear', 'embed_linear', sizes);
  });
}

for (const k of [32, 172]) {
  test(`embed_lut4 k=${k}`, () => {
    const weight = paletteWeight({ n: VOCAB, k, scaleType: 'f32' }, new TestRandom(k));
    const [out] = runOp('embed_lut4', ROWS.length, (core) => {
      const out = core.output(ROWS.length * k * 4);
      const fields = { out, weight: core.input(weight.packed), k, format: FORMAT_LUT4 };
      return { code: CODE_EMBED, fields, rows: ROWS, outputs: [out] };
    });
    const expected = embed(TOKENS, dequantize(weight.rows, VOCAB, k), k);
    // One product, rounded once.
    assertClose(asF32(out!), expected.map(Math.fround), 'exact', 'embed_lut4');
  });
}

test.run();
