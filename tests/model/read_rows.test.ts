import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { packBits } from '../../bindings/formats/bits.js';
import { floatFormat, paddedK } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import type { Role } from '../../bindings/formats/parts.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { type ByteSource, floatWeight } from '../../bindings/model/weight.js';
import { weightOf } from '../support/formats.js';
import { raises } from '../support/raises.js';
import { caseName, product, TestRandom } from '../support/random.js';
import { encodeFloats } from '../support/tiny_model.js';

for (const dtype of ['f32', 'f16', 'bf16'] as const) {
  test(`${dtype} rows and vectors`, async () => {
    // Small integers are exact in every float type.
    const values = Float32Array.from({ length: 15 }, (_, i) => i - 7);
    const upper = dtype.toUpperCase() as 'F32' | 'F16' | 'BF16';
    const weight = weightOf(floatFormat(dtype), 5, 3, () => encodeFloats(upper, values));
    assert.equal([...(await readRows(weight, 1, 3))], [-4, -3, -2, -1, 0, 1]);
    assert.is((await readRows(weight, 5, 5)).length, 0);
    const vector = floatWeight('w', [15], dtype, weight.parts[0]);
    assert.equal([...(await readRows(vector, 13, 15))], [6, 7]);
    await raises(() => readRows(weight, 4, 6), 'OPTION', ['[w]', 4, 6, 5]);
    await raises(() => readRows(weight, 2, 1), 'OPTION', ['[w]', 2, 1, 5]);
  });
}

const LINEAR = product({ bits: [4, 8] as const, symmetric: [true, false], k: [32, 96, 172] });

for (const one of LINEAR) {
  test(`linear rows ${caseName(one)}`, async () => {
    const { bits, symmetric, k } = one;
    const random = new TestRandom(k + bits);
    const n = 4;
    const groups = Math.ceil(k / 32);
    const q = Uint8Array.from({ length: n * paddedK(k) }, () => random.below(2 ** bits));
    const scales = Float32Array.from({ length: n * groups }, () => random.below(64) / 8 - 4);
    const biases = Float32Array.from({ length: n * groups }, () => random.below(64) / 8 - 4);
    const bytes: Partial<Record<Role, Uint8Array>> = {
      codes: packBits(q, bits),
      scales: encodeFloats('F16', scales),
      biases: encodeFloats('F16', biases),
    };
    const weight = weightOf(linearFormat(bits, symmetric), n, k, ({ role }) => bytes[role]!);
    const expected: number[] = [];
    for (let row = 1; row < 3; row++) {
      for (let i = 0; i < k; i++) {
        const group = row * groups + Math.floor(i / 32);
        const zero = 2 ** (bits - 1);
        const value = q[row * paddedK(k) + i]!;
        const bias = symmetric ? -zero * scales[group]! : biases[group]!;
        expected.push(scales[group]! * value + bias);
      }
    }
    assert.equal([...(await readRows(weight, 1, 3))], expected);
  });
}

test('palette rows, across tables', async () => {
  const [n, k] = [35, 44];
  const random = new TestRandom(2);
  const padded = paddedK(k);
  const indices = Uint8Array.from({ length: n * padded }, () => random.below(16));
  const lut = Int8Array.from({ length: 48 }, () => random.below(128) - 64);
  const scales = Float32Array.from({ length: n }, () => random.below(64) / 8 - 4);
  const bytes: Partial<Record<Role, Uint8Array>> = {
    codes: packBits(indices, 4),
    scales: encodeFloats('F16', scales),
    lut: new Uint8Array(lut.buffer),
  };
  const weight = weightOf(paletteFormat(4), n, k, ({ role }) => bytes[role]!);
  const value = (row: number, i: number) =>
    scales[row]! * lut[16 * Math.floor(row / 16) + indices[row * padded + i]!]!;
  for (const [begin, end] of [
    [0, n],
    [14, 18],
    [32, 35],
    [33, 33],
  ] as const) {
    const expected: number[] = [];
    for (let row = begin; row < end; row++) {
      for (let i = 0; i < k; i++) expected.push(value(row, i));
    }
    assert.equal([...(await readRows(weight, begin, end))], expected);
  }
});

test('only the bytes of the rows are read', async () => {
  const read: [number, number][] = [];
  const source: ByteSource = {
    name: 'w',
    size: 400,
    read: async (offset, into) => void read.push([offset, into.length]),
    close: async () => {},
  };
  const stored = { name: 'w', source, offset: 100, bytes: 300 };
  await readRows(floatWeight('w', [5, 15], 'f32', stored), 2, 4);
  assert.equal(read, [[100 + 2 * 60, 120]]);
});

test.run();
