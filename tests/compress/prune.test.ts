// Pruning: what coremltools zeroes, and that nothing but what is left reaches a table or a scale.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { linearFit } from '../../bindings/compress/fit/linear.js';
import { fitNonZeros } from '../../bindings/compress/fit/non_zeros.js';
import { paletteFit } from '../../bindings/compress/fit/palettize.js';
import {
  magnitudes,
  mostLeft,
  type Prune,
  parsePrune,
  pruneRows,
} from '../../bindings/compress/fit/prune.js';
import { quantile } from '../../bindings/compress/fit/quantile.js';
import { ALL } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { goldens } from '../oracles/goldens.js';
import { normals, TestRandom } from '../support/random.js';

/** Of core_ml_fits.py: PRUNE_SEED, PRUNE_SHAPE. */
const [N, K] = [6, 16];
const WEIGHTS = normals(N * K, new TestRandom(32));

const RECIPES: Readonly<Record<string, object>> = {
  'threshold 0.5': { mode: 'threshold', threshold: 0.5 },
  'sparsity 0.5': { target_sparsity: 0.5 },
  'sparsity 0.75': { target_sparsity: 0.75 },
  'sparsity 0.5 in blocks of 2 along axis 0': { target_sparsity: 0.5, block_size: 2 },
  'sparsity 0.5 in blocks of 4 along axis 1': { target_sparsity: 0.5, block_size: 4, dim: 1 },
  '2 of 4 become zero along axis 1': { n_m_ratio: [2, 4] },
  '3 of 5 become zero along axis 1': { n_m_ratio: [3, 5] },
  '1 of 2 become zero along axis 0': { n_m_ratio: [1, 2], dim: 0 },
};

async function resolved(prune: Prune, w: Float64Array): Promise<Prune> {
  if (prune.by !== 'sparsity') return prune;
  // In two batches, as of strips.
  const sizes = magnitudes(prune, w, K)!;
  const batches = async function* () {
    yield sizes.slice(0, 40);
    yield sizes.slice(40);
  };
  return { ...prune, most: await quantile(batches, prune.part) };
}

const pruned = goldens<{ mask: number[][] }>('core_ml_fits').filter(([name]) =>
  name.startsWith('pruned: '),
);

for (const [name, { mask }] of pruned) {
  test(`coremltools ${name}`, async () => {
    const words = RECIPES[name.slice('pruned: '.length)];
    assert.ok(words, 'a recipe of ours');
    const prune = parsePrune({ mode: 'magnitude', ...words }, 'global');
    const w = Float64Array.from(WEIGHTS);
    pruneRows(await resolved(prune, w), w, K);
    assert.equal(
      mask.flat(),
      Array.from(w, (value) => Number(value !== 0)),
    );
    const left = w.filter((value) => value !== 0).length;
    assert.ok(left <= mostLeft(prune, N, K), `${left} left, at most ${mostLeft(prune, N, K)}`);
    for (const [i, value] of w.entries()) assert.ok(value === 0 || value === WEIGHTS[i]);
  });
}

test('every recipe of the list is one of the goldens', () => {
  assert.is(pruned.length, Object.keys(RECIPES).length);
});

const core = await FitCore.load();

/** Rows whose weights are 3 to 5, every second one pruned, as one value of 40 cells in each row is. */
function far(rows: number, k: number): Float64Array {
  const random = new TestRandom(7);
  return Float64Array.from({ length: rows * k }, (_, i) => (i % 2 ? 0 : random.between(3, 5)));
}

for (const format of [
  linearFormat(4, false),
  linearFormat(4, false, undefined, 'per_channel'),
  linearFormat(4, false, undefined, 'per_tensor'),
  paletteFormat(4, { rows: 2, perChannel: false }),
  paletteFormat(4, { rows: ALL, perChannel: false }),
  paletteFormat(4, { rows: 4 }),
]) {
  test(`zeros reach neither ${format.lut ? 'table' : 'scale'} of ${JSON.stringify(format)}`, () => {
    const [rows, k] = [4, 96];
    const w = far(rows, k);
    const fit = format.lut ? paletteFit : linearFit;
    const { codes, scales, biases, lut } = fitNonZeros(fit, w, k, format, core);
    const left = w.filter((value) => value !== 0);
    assert.is(codes.length, left.length);
    const used = new Set(codes);
    assert.ok(used.size > 12, `${used.size} of 16 codes are used`);
    if (biases) for (const bias of biases) assert.ok(bias > 2, `bias ${bias}`);
    if (lut) {
      const signs = new Set(Array.from(lut, Math.sign));
      assert.is(signs.size, 1, `entries ${lut} are of one sign`);
      assert.ok(scales.every((scale) => scale !== 0));
    }
  });
}

test('a strip of zeros, a row of zeros', () => {
  for (const format of [linearFormat(4, false), linearFormat(4, true), paletteFormat(4)]) {
    const fit = format.lut ? paletteFit : linearFit;
    const w = new Float64Array(3 * 64);
    const none = fitNonZeros(fit, w, 64, format, core);
    assert.is(none.codes.length, 0);
    assert.ok([...none.scales].every(Number.isFinite));
    w.fill(1.5, 64, 70);
    assert.is(fitNonZeros(fit, w, 64, format, core).codes.length, 6);
  }
});

test.run();
