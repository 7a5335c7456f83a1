// How coremltools chooses tables and indices in the modes uniform and unique: ours are the same, number for number.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { paletteFit } from '../../bindings/compress/fit/palettize.js';
import { ALL, paddedK } from '../../bindings/formats/format.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { normals, TestRandom } from '../support/random.js';
import { goldens } from './goldens.js';

interface Golden {
  readonly indices: readonly (readonly number[])[];
  readonly lut: readonly (readonly number[])[];
}

/** Drawn as core_ml_fits.py does. */
const [N, K] = [6, 16];
const WEIGHTS = normals(N * K, new TestRandom(32));

const core = await FitCore.load();
let cases = 0;
for (const [name, { indices, lut }] of goldens<Golden>('core_ml_fits')) {
  const mode = (['uniform', 'unique'] as const).find((one) => name.startsWith(one));
  if (!mode) continue;
  cases++;
  test(name, () => {
    const rows = lut.length === 1 ? ALL : N / lut.length;
    const format = paletteFormat(Math.log2(lut[0]!.length), {
      rows,
      perChannel: false,
      entry: 'f32',
    });
    const w = mode === 'unique' ? WEIGHTS.map(Math.round) : WEIGHTS;
    const fitted = paletteFit.run(w, K, format, core, { mode });
    assert.equal([...fitted.lut!], lut.flat());
    const codes = indices.map((_, row) => {
      return [...fitted.codes.slice(row * paddedK(K), row * paddedK(K) + K)];
    });
    assert.equal(codes, indices);
  });
}

test('there are cases of both modes', () => assert.is(cases, 6));

test.run();
