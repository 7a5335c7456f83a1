import { test } from 'uvu';
import { CODE_KV_UPDATE } from '../../assembly/op_layout.js';
import { assertSameBytes } from '../support/compare.js';
import type { Core } from '../support/core.js';
import { layerBytes, writeKv } from '../support/kv.js';
import { DTYPES, runOp } from '../support/ops.js';
import { caseName, hostileRows, product, TestRandom } from '../support/random.js';

/** Where rounding to float16 goes wrong first: ties of both parities, subnormals, the largest values. */
const FLOAT16_EDGES = [
  ...[1 + 2 ** -11, 1 + 3 * 2 ** -11, 1 + 2 ** -11 + 2 ** -23, -1 - 2 ** -11],
  ...[2 ** -14, 2 ** -14 - 2 ** -25, 2 ** -24, 2 ** -25, 3 * 2 ** -25, -(5 * 2 ** -25)],
  ...[65504, 65519, 65520, 1e30, -1e30, -65519],
];

/** Positions of the rows: in one page, at both of its ends, and in the next. */
const POSITIONS = [0, 1, 30, 31, 32, 63, 7];

for (const one of product({
  type: ['f32', 'f16', 'int8'] as const,
  kvHeads: [1, 3],
  headDim: [4, 8, 64],
})) {
  test(`kv_update ${caseName(one)}`, () => {
    const { type, kvHeads, headDim } = one;
    const width = kvHeads * headDim;
    const random = new TestRandom(kvHeads * 100 + headDim);
    // Rows of the cache's precision: below it, an int8 scale has too few bits to compare q by q.
    const usable = (value: number) => (Math.abs(value) < 1e-30 ? 0 : value);
    const k = hostileRows(POSITIONS.length, width, random).map(usable);
    const v = hostileRows(POSITIONS.length, width, random).map(usable).reverse();

    // Two layers a page; the second is written.
    const layerOffset = layerBytes(one);
    const expected = [0, 1].map(() => new Uint8Array(2 * layerOffset).fill(0xff));
    for (const [i, position] of POSITIONS.entries()) {
      const layer = expected[position >> 5]!.subarray(layerOffset);
      const [begin, end] = [i * width, (i + 1) * width];
      writeKv(layer, one, position % 32, k.subarray(begin, end), v.subarray(begin, end));
    }

    const prepare = (core: Core) => {
      const second = core.output(2 * layerOffset);
      const first = core.output(2 * layerOffset);
      const pages = core.input(Uint32Array.of(first.address, second.address));
      const rows = POSITIONS.map((position) => ({ position, pages }));
      const [x, y] = [core.input(k), core.input(v)];
      const fields = { x, y, kvHeads, headDim, layerOffset, dtype: DTYPES[type] };
      return { code: CODE_KV_UPDATE, fields, rows, outputs: [first, second] };
    };
    for (const [i, page] of runOp('kv_update', POSITIONS.length, prepare).entries()) {
      assertSameBytes(page, expected[i]!, `page ${i}`);
    }
  });
}

test('kv_update rounds to float16 half to even and saturates', () => {
  const shape = { type: 'f16', kvHeads: 1, headDim: FLOAT16_EDGES.length } as const;
  const values = Float32Array.from(FLOAT16_EDGES);
  const expected = new Uint8Array(layerBytes(shape)).fill(0xff);
  writeKv(expected, shape, 5, values, values);
  const [page] = runOp('kv_update', 1, (core) => {
    const page = core.output(layerBytes(shape));
    const rows = [{ position: 5, pages: core.input(Uint32Array.of(page.address)) }];
    const [x, y] = [core.input(values), core.input(values)];
    const fields = { x, y, ...shape, dtype: DTYPES.f16 };
    return { code: CODE_KV_UPDATE, fields, rows, outputs: [page] };
  });
  assertSameBytes(page!, expected, 'page');
});

test.run();
