// How far a kernel may be from the float64 reference: one table, one line per op with its reason.

import * as assert from 'uvu/assert';

/** Half an ulp of 1 in float32. */
const ULP = 2 ** -24;

/**
 * Largest error in units of the result's scale: of the element itself for maps, of the sum of the terms'
 * magnitudes for reductions (that is what rounding of a sum is bounded by, however the terms cancel).
 */
export const TOLERANCE = {
  /** Copies and exact conversions. */
  exact: 0,
  /** One rounded addition. */
  add: 2 * ULP,
  /** A product and a sum. */
  embedLinear: 2 * ULP,
  /** Two products and a sum: of |x| cos + |y| sin. */
  rope: 4 * ULP,
  /** Float64: a logarithm within 1e-15, times an exponent, and its exponential. */
  pow: 1e-14,
  /** Of 1: computed in float64 within 1e-10, then rounded once. */
  ropeAngles: 0.51 * ULP,
  /** Four partial sums of k <= 4096 squares, a root and two products. */
  rmsNorm: 64 * ULP,
  /** exp within 2e-7, a division, two products. */
  siluMul: 8 * ULP,
  /** exp within 2e-7, then a sum of n; what its argument loses is in the test's scale. */
  softmax: 16 * ULP,
  /** Of the sum of |x w|: errors of up to 4096 additions have both signs. */
  matmulFloat: 16 * ULP,
  /** Of the sum of |x w|: exact integer dots, three roundings a block, up to 128 blocks. */
  matmulQuantized: 8 * ULP,
  /** A weighted mean of v whose weights lose as many ulps as their scores are large; see the test. */
  sdpa: ULP,
  /** Logits of a whole model in float32, of the largest logit. */
  logits: 1e-4,
} as const;

export type Compared = keyof typeof TOLERANCE;

/**
 * Asserts |actual - expected| <= tolerance * scale + smallest normal float32, for every element; names the
 * worst one otherwise. A NaN fails.
 * @param scales magnitude of each result; default |expected|
 */
export function assertClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  op: Compared,
  name: string,
  scales?: ArrayLike<number>,
): void {
  assert.is(actual.length, expected.length, `${name}: length`);
  for (let i = 0; i < expected.length; i++) {
    const want = expected[i]!;
    const bound = op === 'exact' ? 0 : TOLERANCE[op] * Math.abs(scales?.[i] ?? want) + 2 ** -126;
    if (Math.abs(actual[i]! - want) <= bound) continue;
    // float32 has no such number: infinity is the right answer.
    if (Math.fround(want) === actual[i]) continue;
    assert.unreachable(`${name}: element ${i} is ${actual[i]}, expected ${want} +- ${bound}`);
  }
}

/** Asserts the same bytes. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, name: string): void {
  assert.is(actual.length, expected.length, `${name}: length`);
  for (let i = 0; i < expected.length; i++) {
    if (actual[i] === expected[i]) continue;
    assert.unreachable(`${name}: byte ${i} is ${actual[i]}, expected ${expected[i]}`);
  }
}

/** The largest |value|, at least the smallest normal float32. */
export function largest(values: ArrayLike<number>): number {
  let max = 2 ** -126;
  for (let i = 0; i < values.length; i++) max = Math.max(max, Math.abs(values[i]!));
  return max;
}
