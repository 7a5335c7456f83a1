// Tables by k-means against the exact answer: dynamic programming over the sorted values, in float64. Ours has integers
// of 7 or 8 bits for entries and a histogram for values, which cost little.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FitCore } from '../../bindings/compress/fit/fit_core.js';
import { paletteFit } from '../../bindings/compress/fit/palettize.js';
import { ALL } from '../../bindings/formats/format.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { TestRandom } from '../support/random.js';

const core = await FitCore.load();
const COUNT = 512;

const VALUES: Readonly<Record<string, (random: TestRandom, i: number) => number>> = {
  normal: (random) => random.normal(),
  'heavy tails': (random) => random.normal() ** 3,
  'two heaps': (random, i) => random.normal() * 0.2 + (i % 3 === 0 ? 2 : -1),
  uniform: (random) => random.below(1 << 20) / (1 << 20),
  'far to one side': (random) => Math.abs(random.normal()) ** 2,
  'one far out': (random, i) => (i === 100 ? 12 : random.normal()),
};

/** Least squared error of `count` values for these: the best of all ways to cut them, sorted, in runs. */
function leastError(values: readonly number[], count: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const sums = [0];
  const squares = [0];
  for (const x of sorted) {
    sums.push(sums.at(-1)! + x);
    squares.push(squares.at(-1)! + x * x);
  }
  const runError = (begin: number, end: number) => {
    const sum = sums[end]! - sums[begin]!;
    return squares[end]! - squares[begin]! - (sum * sum) / (end - begin);
  };
  let least = sorted.map((_, end) => runError(0, end + 1));
  for (let runs = 2; runs <= count; runs++) {
    least = least.map((before, last) => {
      let best = before;
      for (let begin = 1; begin <= last; begin++) {
        best = Math.min(best, least[begin - 1]! + runError(begin, last + 1));
      }
      return best;
    });
  }
  return least.at(-1)!;
}

/** Largest factor to the exact error, by bits and entries: what is left of it is the grid of the entries. */
const FACTORS = [
  [1, 'i7', 1.01],
  [2, 'i7', 1.01],
  [3, 'i7', 1.06],
  [4, 'i7', 1.25],
  [4, 'i8', 1.07],
] as const;

for (const [name, draw] of Object.entries(VALUES)) {
  for (const [bits, entry, factor] of FACTORS) {
    test(`${name}, ${bits} bits, entries ${entry}: at most ${factor} of the least error`, () => {
      const random = new TestRandom(bits);
      const w = Float32Array.from({ length: COUNT }, (_, i) => draw(random, i));
      const format = paletteFormat(bits, { rows: ALL, perChannel: false, entry });
      const { codes, scales, lut } = paletteFit.run(w, COUNT, format, core);
      const error = w.reduce((sum, x, i) => sum + (x - scales[0]! * lut![codes[i]!]!) ** 2, 0);
      const exact = leastError([...w], 2 ** bits);
      assert.ok(error <= factor * exact, `${error / exact}`);
    });
  }
}

test.run();
