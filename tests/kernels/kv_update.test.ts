import { test } from 'uvu';
import { CODE_KV_UPDATE } from '../../assembly/op_layout.js';
import { assertSameBytes } from '../support/compare.js';
import type { Core } from '../support/core.js';
import { layerBytes, writeKv } from '../support/kv.js';
import { DTYPES, runOp } from '../support/ops.js';
import { caseName, hostileRows, product, TestRandom } from '../support/random.js';

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

test.run();
