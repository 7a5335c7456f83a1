// How often the sampler draws each token, against probabilities worked out the plainest way. Seeded, so a
// verdict never changes; the last tests show that samplers which are a little wrong do not pass.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Sampler, type SamplerOptions } from '../../bindings/sampler/sampler.js';
import { chiSquare, type Fit } from '../support/chi_square.js';
import { TestRandom } from '../support/random.js';
import { softmaxExecutor } from '../support/softmax_executor.js';

const TOKENS = 60;
const DRAWS = 20_000;
const HISTORY = [3, 3, 17, 20, 41, 59];

const random = new TestRandom(23);
const LOGITS = Float32Array.from({ length: TOKENS }, () => 1.5 * random.normal());

/** Exact probabilities by token, in float64. */
function exact(options: SamplerOptions): number[] {
  const { temperature = 1, topK = 0, topP = 1, minP = 0, repetitionPenalty = 1 } = options;
  const logits = Array.from(LOGITS, (logit, id) => {
    const factor = HISTORY.includes(id) ? repetitionPenalty : 1;
    const bias = options.logitBias?.[id] ?? 0;
    const allowed = !options.allowedTokens || (options.allowedTokens[id >> 5]! >>> (id & 31)) & 1;
    return allowed ? (logit > 0 ? logit / factor : logit * factor) + bias : -Infinity;
  });
  const powers = logits.map((logit) => Math.exp(logit / temperature));
  const kept = powers.map((_, id) => id).sort((a, b) => powers[b]! - powers[a]!);
  if (topK > 0) kept.splice(topK);
  const mass = kept.reduce((sum, id) => sum + powers[id]!, 0);
  let reached = 0;
  const nucleus = kept.filter((id) => {
    const inside = reached < topP * mass;
    reached += powers[id]!;
    return inside && powers[id]! >= minP * powers[kept[0]!]!;
  });
  const all = nucleus.reduce((sum, id) => sum + powers[id]!, 0);
  return powers.map((power, id) => (nucleus.includes(id) ? power / all : 0));
}

type Draw = () => Promise<number>;

async function fit(draw: Draw, options: SamplerOptions): Promise<Fit> {
  const counts = new Array<number>(TOKENS).fill(0);
  for (let i = 0; i < DRAWS; i++) counts[await draw()]!++;
  return chiSquare(counts, exact(options));
}

const executor = await softmaxExecutor(LOGITS);

/** @param seed another one draws other tokens */
function sampling(options: SamplerOptions, seed = 1): Draw {
  const sampler = new Sampler({ ...options, seed });
  return async () => sampler.choose(executor, 0, HISTORY);
}

const CASES: readonly SamplerOptions[] = [
  {},
  { temperature: 0.3 },
  { temperature: 2.5 },
  { topK: 1 },
  { topK: 10 },
  { topP: 0.05 },
  { topP: 0.8 },
  { minP: 0.1 },
  { minP: 1 },
  { repetitionPenalty: 1.3 },
  { repetitionPenalty: 0.7 },
  { logitBias: { 2: 3, 17: -2, 30: -Infinity } },
  { allowedTokens: new Uint32Array([0x0f0f0f0f, 0x00ff00ff]) },
  { temperature: 1.4, topK: 30, topP: 0.9, minP: 0.02, repetitionPenalty: 1.2 },
  { temperature: 0.8, topK: 20, topP: 0.95, logitBias: { 4: 1.5, 41: 2 } },
];

for (const options of CASES) {
  test(`draws follow the probabilities: ${JSON.stringify(options)}`, async () => {
    for (const seed of [1, 2, 2 ** 40]) {
      const { statistic, critical, fits } = await fit(sampling(options, seed), options);
      assert.ok(fits, `seed ${seed}: chi-square ${statistic}, at most ${critical}`);
    }
  });
}

/** Samplers with a fault, and the options they claim to follow. */
const FAULTY: [fault: string, draw: Draw, claims: SamplerOptions][] = [
  ['a temperature that is 5 % off', sampling({ temperature: 1.05 }), {}],
  ['topK one too many', sampling({ topK: 11 }), { topK: 10 }],
  ['topK one too few', sampling({ topK: 9 }), { topK: 10 }],
  ['topP a little high', sampling({ topP: 0.82 }), { topP: 0.8 }],
  ['topP taken for minP', sampling({ topP: 0.1 }), { minP: 0.1 }],
  ['no penalty', sampling({}), { repetitionPenalty: 1.3 }],
  ['a bias for a neighbour', sampling({ logitBias: { 5: 3 } }), { logitBias: { 4: 3 } }],
  ['one token in fifty is its neighbour', shifted(50), {}],
];

/** Every n-th token is the one after it. */
function shifted(n: number): Draw {
  const draw = sampling({});
  let drawn = 0;
  return async () => {
    const token = await draw();
    return drawn++ % n === 0 ? (token + 1) % TOKENS : token;
  };
}

for (const [fault, draw, claims] of FAULTY) {
  test(`rejected: ${fault}`, async () => {
    const { statistic, critical, fits } = await fit(draw, claims);
    assert.not(fits, `chi-square ${statistic}, at most ${critical}`);
  });
}

test('the bound: 1 - 1e-6 of chi-square, by the table', () => {
  const bound = (freedom: number) => {
    const classes = freedom + 1;
    const counts = new Array<number>(classes).fill(100);
    return chiSquare(
      counts,
      counts.map(() => 1 / classes),
    ).critical;
  };
  for (const [freedom, expected] of [
    [5, 35.89],
    [10, 46.86],
    [50, 112.61],
  ] as const) {
    const came = bound(freedom);
    assert.ok(Math.abs(came / expected - 1) < 0.05, `${freedom}: ${came}`);
  }
});

test.run();
