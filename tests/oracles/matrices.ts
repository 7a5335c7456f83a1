// Matrices that a quantizer may meet, the same numbers as seeded.py draws.

import { TestRandom } from '../support/random.js';

/** Of a row: weight `i`, given a normal number and a place that was drawn. */
type Value = (x: number, i: number, at: number) => number;

const ROWS: Readonly<Record<string, Value>> = {
  normal: (x) => x,
  zeros: () => 0,
  equal: () => 0.75,
  'equal negative': () => -0.3,
  'positive only': (x) => Math.abs(x) + 0.5,
  'negative only': (x) => -Math.abs(x) - 0.5,
  'one outlier': (x, i, at) => (i === at ? -100 : x * 0.01),
  'far from zero': (x) => 50 + x,
  'as far up as down': (x, i) => [-2, 2, x / 4][Math.min(i % 32, 2)]!,
  tiny: (x) => x * 1e-9,
  'whole numbers': (_, i) => (i % 5) - 2,
  'almost all zero': (_, i, at) => (i === at ? 1.5 : 0),
};

export const ROW_NAMES: readonly string[] = Object.keys(ROWS);

/** A row of every kind, float32 [kinds, k]. */
export function matrix(seed: number, k: number): Float32Array {
  const random = new TestRandom(seed);
  const rows = Object.values(ROWS).flatMap((value) => {
    const at = random.below(k);
    return Array.from({ length: k }, (_, i) => value(random.normal(), i, at));
  });
  return Float32Array.from(rows);
}
