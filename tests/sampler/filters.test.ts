// The filters against the plainest way to write them: sort everything.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { filterTokens } from '../../bindings/sampler/filters.js';
import { caseName, product, TestRandom } from '../support/random.js';

/** All tokens sorted, then cut by one filter after the other. */
function sortAndCut(p: Float32Array, topK: number, topP: number, minP: number): number[] {
  let ids = Array.from(p.keys()).sort((a, b) => p[b]! - p[a]! || a - b);
  if (topK > 0) ids = ids.slice(0, topK);
  // Without topK the mass is summed by id, with it in sorted order; both in float64.
  const summed = topK > 0 && topK < p.length ? ids : Array.from(p.keys());
  const mass = summed.reduce((total, id) => total + p[id]!, 0);
  let reached = 0;
  const nucleus = ids.filter((_, i) => {
    if (i > 0 && topP < 1 && reached >= topP * mass) return false;
    reached += p[ids[i]!]!;
    return true;
  });
  return nucleus.filter((id, i) => i === 0 || p[id]! >= minP * p[ids[0]!]!);
}

/** Probabilities of one shape: near to equal, steep, with ties, with zeros, one hot. */
function distribution(shape: string, size: number, random: TestRandom): Float32Array {
  const weights = Array.from({ length: size }, (_, i) => {
    if (shape === 'flat') return random.between(1, 1.1);
    if (shape === 'steep') return 2 ** random.between(-140, 0);
    if (shape === 'ties') return 1 + random.below(3);
    if (shape === 'zeros') return i === 0 || random.below(4) === 0 ? random.between(0.1, 1) : 0;
    return i === size >> 1 ? 1 : 0;
  });
  const sum = weights.reduce((a, b) => a + b, 0);
  return Float32Array.from(weights, (weight) => weight / sum);
}

const CASES = product({
  shape: ['flat', 'steep', 'ties', 'zeros', 'oneHot'],
  size: [1, 5, 300],
  topK: [0, 1, 3, 40, 1000],
  topP: [0.001, 0.5, 0.95, 1],
  minP: [0, 0.05, 0.9, 1],
} as const);

test('topK, topP and minP keep what sorting keeps', () => {
  const random = new TestRandom(5);
  for (const one of CASES) {
    const probabilities = distribution(one.shape, one.size, random);
    const kept = filterTokens(probabilities, one);
    const expected = sortAndCut(probabilities, one.topK, one.topP, one.minP);
    if (kept === null) {
      assert.is(expected.length, one.size, caseName(one));
      continue;
    }
    assert.equal(kept.ids, expected, caseName(one));
    const mass = expected.reduce((sum, id) => sum + probabilities[id]!, 0);
    assert.is(kept.mass, mass, caseName(one));
  }
});

test('nothing to filter: null', () => {
  const probabilities = new Float32Array([0.5, 0.25, 0.25]);
  assert.is(filterTokens(probabilities, { topK: 0, topP: 1, minP: 0 }), null);
  assert.is(filterTokens(probabilities, { topK: 3, topP: 1, minP: 0 }), null);
});

test('equal probabilities are kept by rising id', () => {
  const probabilities = new Float32Array(40).fill(1 / 40);
  assert.equal(filterTokens(probabilities, { topK: 3, topP: 1, minP: 0 })?.ids, [0, 1, 2]);
  assert.is(filterTokens(probabilities, { topK: 0, topP: 0.5, minP: 0 })?.ids.length, 20);
});

test.run();
