// MLX's weights mean here what they mean there. Equal is this: the codes, scales and biases that a file holds are
// read without a change, and a decoded weight is scale * code + bias in float64, of which the product is exact.
// MLX rounds that to the scales' type twice, product and sum, so its values are ours with these two roundings, bit
// for bit.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { codecOf } from '../../bindings/formats/codecs.js';
import { decodeFloats, encodeFloats } from '../../bindings/formats/float_bytes.js';
import type { FloatType } from '../../bindings/formats/format.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { weightOf } from '../support/formats.js';
import { digest } from './goldens.js';
import { type MlxGolden, mlxGoldens } from './mlx_formats.js';

const GOLDENS = mlxGoldens();

const rounded = (values: Float64Array, type: FloatType) => {
  return decodeFloats(encodeFloats(values, type), type);
};

/** The scale or bias of every weight [n, k]. */
const spread = (perGroup: Float64Array, { format, n, k }: MlxGolden) =>
  Float64Array.from({ length: n * k }, (_, i) => perGroup[Math.floor(i / format.scale!.k)]!);

test('every width and group size that the loader takes, and every type of scales', () => {
  const kinds = GOLDENS.map(({ format }) => [format.bits, format.scale!.k].join());
  assert.is(new Set(kinds).size, 6 * 3);
  assert.is(new Set(GOLDENS.map(({ format }) => format.scale!.dtype)).size, 3);
});

for (const golden of GOLDENS) {
  const { name, format, n, k, codes } = golden;
  const { dtype } = format.scale!;
  const scales = spread(golden.scales, golden);
  const biases = spread(golden.biases, golden);

  test(`${name}: a decoded weight is scale * code + bias`, async () => {
    const parts = {
      codes: golden.stream,
      scales: encodeFloats(golden.scales, dtype),
      biases: encodeFloats(golden.biases, dtype),
    };
    const expected = scales.map((scale, i) => scale * codes[i]! + biases[i]!);
    assert.equal(codecOf(format).decode(format, parts, 0, n, k), expected);
    const weight = weightOf(format, n, k, ({ role }) => parts[role as keyof typeof parts]);
    assert.equal(await readRows(weight, 3, 7), expected.slice(3 * k, 7 * k));
  });

  test(`${name}: MLX's values are these, rounded to ${dtype} after * and after +`, () => {
    const products = rounded(
      scales.map((scale, i) => scale * codes[i]!),
      dtype,
    );
    const sums = products.map((product, i) => product + biases[i]!);
    assert.is(digest(encodeFloats(sums, dtype)), golden.values);
  });
}

test.run();
