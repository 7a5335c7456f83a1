// Any option within its range, with any finite logits, in the float32 softmax of the core: a token comes.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Executor } from '../../bindings/executor/executor.js';
import { Sampler } from '../../bindings/sampler/sampler.js';
import { caseName, product, TestRandom } from '../support/random.js';
import { softmaxExecutor } from '../support/softmax_executor.js';

const MOST = (2 - 2 ** -23) * 2 ** 127;
const LEAST = 2 ** -149;
const EXTREMES = [MOST, -MOST, 0, -0, LEAST, -LEAST, 1, -1, 1e30, -1e30];

const CASES = product({
  temperature: [0, 1e-6, 1, 1e6],
  repetitionPenalty: [1e-3, 1, 1e3],
  bias: [-1e30, 0, 1e30, Number.NEGATIVE_INFINITY],
  topK: [0, 3],
  topP: [5e-324, 0.5, 1],
  minP: [0, 1],
});

/** Fails for probabilities that are no numbers or do not sum to one. */
function checked(executor: Executor): Executor {
  return {
    ...executor,
    softmax: async (index, temperature) => {
      const row = await executor.softmax(index, temperature);
      const sum = row.reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 1) < 1e-5, `${sum}`);
      return row;
    },
  };
}

test('extreme options and extreme logits give a token that may be chosen', async () => {
  const random = new TestRandom(11);
  const logits = Array.from({ length: 9 }, () => 0);
  const executor = checked(await softmaxExecutor(logits));
  for (const { bias, ...options } of CASES) {
    for (let i = 0; i < 9; i++) logits[i] = EXTREMES[random.below(EXTREMES.length)]!;
    const sampler = new Sampler({ ...options, seed: 1, logitBias: { 2: bias, 3: bias } });
    const name = `${caseName({ ...options, bias })}: ${logits}`;
    const token = await sampler.choose(executor, 0, [0, 1, 2, 5, 6]);
    assert.ok(Number.isInteger(token) && token >= 0 && token < 9, `${name}: ${token}`);
    if (bias === Number.NEGATIVE_INFINITY) assert.ok(token !== 2 && token !== 3, name);
  }
});

test('a penalty that overflows float32 stops at the largest number', async () => {
  const executor = await softmaxExecutor([3e38, 2e38, -3e38]);
  const options = { repetitionPenalty: 1e-3, seed: 1 };
  assert.is(await new Sampler(options).choose(executor, 0, [0]), 0);
  const least = await softmaxExecutor([-3e38, -2e38]);
  const harsh = new Sampler({ repetitionPenalty: 1e3, temperature: 0 });
  assert.is(await harsh.choose(least, 0, [0, 1]), 0);
});

test.run();
