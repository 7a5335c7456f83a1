import { test } from 'uvu';
import { CODE_SDPA } from '../../assembly/op_layout.js';
import type { KvType } from '../../bindings/executor/executor.js';
import { sdpa } from '../../bindings/executor/reference.js';
import { sdpaScratchBytes } from '../../bindings/executor/wasm/layout.js';
import { assertClose, assertSameBytes, largest } from '../support/compare.js';
import { asF32 } from '../support/core.js';
import { layerBytes, writeKv } from '../support/kv.js';
import { DTYPES, runOp } from '../support/ops.js';
import { caseName, normals, product, TestRandom } from '../support/random.js';

interface Heads {
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
}

const HEADS: readonly Heads[] = [
  { numHeads: 1, numKvHeads: 1, headDim: 4 },
  { numHeads: 4, numKvHeads: 2, headDim: 8 },
  { numHeads: 6, numKvHeads: 2, headDim: 12 },
  { numHeads: 3, numKvHeads: 3, headDim: 64 },
  { numHeads: 3, numKvHeads: 1, headDim: 20 },
];
/** On both sides of tiles of 32 and segments of 256; rows are not in order. */
const POSITIONS = [0, 1, 31, 32, 600, 33, 255, 256, 257, 511, 512];
/** Of these, rows that are also run in a step of their own. */
const ALONE = [600, 33];
const LENGTH = 601;
const PAGES = Math.ceil(LENGTH / 32);

/** A cache of LENGTH positions in the second of two layers; what was never written stays 0xff. */
function fillCache(type: KvType, heads: Heads, random: TestRandom) {
  const { numKvHeads, headDim } = heads;
  const shape = { type, kvHeads: numKvHeads, headDim };
  const width = numKvHeads * headDim;
  const layerOffset = layerBytes(shape);
  const pages = Array.from({ length: PAGES }, () => new Uint8Array(2 * layerOffset).fill(0xff));
  const k = new Float64Array(LENGTH * width);
  const v = new Float64Array(LENGTH * width);
  for (let position = 0; position < LENGTH; position++) {
    const layer = pages[position >> 5]!.subarray(layerOffset);
    const [rowK, rowV] = [normals(width, random), normals(width, random)];
    const written = writeKv(layer, shape, position % 32, rowK, rowV);
    k.set(written.k, position * width);
    v.set(written.v, position * width);
  }
  return { pages, layerOffset, k, v };
}

type Cache = ReturnType<typeof fillCache>;

function run(
  q: Float32Array,
  positions: readonly number[],
  cache: Cache,
  type: KvType,
  heads: Heads,
  window: number,
  scale: number,
): Uint8Array {
  const { numHeads, numKvHeads, headDim } = heads;
  const [out] = runOp('sdpa', positions.length * numKvHeads, (core) => {
    // Pages lie in memory from last to first.
    const blocks = cache.pages.toReversed().map((page) => core.input(page));
    const table = Uint32Array.from(blocks.reverse(), (block) => block.address);
    const pages = core.input(table);
    const rows = positions.map((position) => ({ position, pages }));
    const out = core.output(q.byteLength);
    const fields = {
      out,
      x: core.input(q),
      heads: numHeads,
      kvHeads: numKvHeads,
      headDim,
      float: scale,
      window,
      layerOffset: cache.layerOffset,
      dtype: DTYPES[type],
    };
    const scratchBytes = sdpaScratchBytes(headDim, numHeads / numKvHeads);
    return { code: CODE_SDPA, fields, rows, scratchBytes, outputs: [out] };
  });
  return out!;
}

for (const type of ['f32', 'f16', 'int8'] as const) {
  for (const heads of HEADS) {
    const cache = fillCache(type, heads, new TestRandom(heads.numHeads * 100 + heads.headDim));
    // A sharpness of 40 gives scores in the hundreds: exp of them overflows, of their differences not.
    for (const one of product({ window: [0, 1, 7, 40, 256, 300], sharpness: [1, 40] })) {
      test(`sdpa ${caseName({ type, ...heads, ...one })}`, () => {
        const { numHeads, numKvHeads, headDim } = heads;
        const { window, sharpness } = one;
        const random = new TestRandom(window + sharpness);
        const width = numHeads * headDim;
        const kvWidth = numKvHeads * headDim;
        const q = normals(POSITIONS.length * width, random, sharpness);
        const scale = Math.fround(1 / Math.sqrt(headDim));
        const out = run(q, POSITIONS, cache, type, heads, window, scale);
        for (const [i, position] of POSITIONS.entries()) {
          const begin = window > 0 ? Math.max(0, position + 1 - window) : 0;
          const k = cache.k.subarray(begin * kvWidth, (position + 1) * kvWidth);
          const v = cache.v.subarray(begin * kvWidth, (position + 1) * kvWidth);
          const rowQ = q.slice(i * width, (i + 1) * width);
          const expected = sdpa(Float64Array.from(rowQ), k, v, heads, scale);
          // A score is rounded by ulps of its largest partial sum, and e^score by as many.
          const score = largest(rowQ) * largest(k) * headDim * scale;
          const bound = largest(v) * (1 + score);
          const row = out.slice(i * width * 4, (i + 1) * width * 4);
          const name = `position ${position}`;
          assertClose(
            asF32(row),
            expected,
            'sdpa',
            name,
            expected.map(() => bound),
          );
          if (ALONE.includes(position)) {
            const alone = run(rowQ, [position], cache, type, heads, window, scale);
            assertSameBytes(alone, row, `${name} alone`);
          }
        }
      });
    }
  }
}

test.run();
