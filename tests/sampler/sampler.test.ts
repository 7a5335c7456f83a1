import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { samplerDefaults } from '../../bindings/sampler/defaults.js';
import { RANGES } from '../../bindings/sampler/ranges.js';
import { Sampler, type SamplerOptions } from '../../bindings/sampler/sampler.js';
import { Session } from '../../bindings/session/session.js';
import { FakeExecutor, fakeOwner } from '../support/fake_executor.js';
import { raises } from '../support/raises.js';

/** Chooses `count` times from the same logits. */
async function choose(
  logits: readonly number[],
  options: SamplerOptions,
  count = 1,
  history: readonly number[] = [0],
): Promise<number[]> {
  const executor = new FakeExecutor({ vocabSize: logits.length, logitsAfter: () => logits });
  const session = new Session(fakeOwner(executor), history.length);
  const sampler = new Sampler(options);
  const chosen: number[] = [];
  for (let i = 0; i < count; i++) {
    await session.truncate(0);
    chosen.push(await session.sample(history, sampler));
  }
  return chosen;
}

test('temperature 0: the largest logit, the lowest id among equals', async () => {
  assert.equal(await choose([1, 3, 2, 3], { temperature: 0 }), [1]);
  assert.equal(await choose([-5, -5, -5], { temperature: 0 }), [0]);
  const never = { 0: Number.NEGATIVE_INFINITY };
  assert.equal(await choose([0, -9], { temperature: 0, logitBias: never }), [1]);
});

test('draws follow the probabilities', async () => {
  const shares = [0.5, 0.25, 0.125, 0.125];
  const chosen = await choose(shares.map(Math.log), { seed: 3 }, 2000);
  for (const [id, share] of shares.entries()) {
    const count = chosen.filter((token) => token === id).length;
    // Five deviations of a binomial count.
    const bound = 5 * Math.sqrt(2000 * share * (1 - share));
    assert.ok(Math.abs(count - 2000 * share) < bound, `token ${id}: ${count}`);
  }
});

test('temperature sharpens and flattens', async () => {
  const logits = [1, 0.5, 0];
  const cold = await choose(logits, { temperature: 0.05, seed: 1 }, 100);
  assert.ok(cold.every((token) => token === 0));
  const hot = await choose(logits, { temperature: 1000, seed: 1 }, 600);
  for (const id of [0, 1, 2]) {
    assert.ok(Math.abs(hot.filter((token) => token === id).length - 200) < 60);
  }
});

test('frozen: the same seed draws the same tokens, always', async () => {
  const logits = Array.from({ length: 20 }, (_, i) => Math.fround(((i * 7) % 20) / 4));
  assert.equal(await choose(logits, { seed: 7 }, 12), FROZEN_PLAIN);
  assert.equal(
    await choose(logits, { seed: 7, topK: 5, topP: 0.9, minP: 0.1 }, 12),
    FROZEN_FILTERED,
  );
});

test('without a seed one is drawn and told', () => {
  const seeds = new Set(Array.from({ length: 5 }, () => new Sampler().seed));
  assert.ok(seeds.size > 1);
  assert.is(new Sampler({ seed: 5 }).seed, 5);
});

test('filters limit what is drawn', async () => {
  const logits = [0, 3, 2, 1];
  assert.ok((await choose(logits, { topK: 1, seed: 1 }, 30)).every((token) => token === 1));
  assert.ok(
    (await choose(logits, { topK: 2, seed: 1 }, 60)).every((token) => token === 1 || token === 2),
  );
  assert.ok((await choose(logits, { topP: 0.1, seed: 1 }, 30)).every((token) => token === 1));
  assert.ok(
    (await choose(logits, { minP: 0.3, seed: 1 }, 60)).every((token) => token === 1 || token === 2),
  );
});

test('repetitionPenalty: once for each token of the history', async () => {
  const greedy = { temperature: 0, repetitionPenalty: 2 };
  assert.equal(await choose([4, 3, -1], greedy, 1, [0, 0, 0]), [1]);
  assert.equal(await choose([4, 1.9, -1], greedy, 1, [0, 0, 0]), [0]);
  assert.equal(await choose([-1, -1.5], greedy, 1, [0]), [1]);
});

test('logitBias', async () => {
  assert.equal(await choose([1, 0], { temperature: 0, logitBias: { 1: 2 } }), [1]);
  const never = { 0: Number.NEGATIVE_INFINITY };
  assert.ok(
    (await choose([1, 0, 0], { seed: 1, logitBias: never }, 30)).every((token) => token > 0),
  );
  await raises(() => choose([1, 0], { logitBias: { 2: 1 } }), 'OPTION', ['logitBias', 2, 'to 1']);
});

test('allowedTokens', async () => {
  const logits = Array.from({ length: 70 }, (_, i) => i / 10);
  const allowed = new Uint32Array([0, 1 << 31, 1 << 1]);
  assert.equal(await choose(logits, { temperature: 0, allowedTokens: allowed }), [65]);
  const drawn = new Set(await choose(logits, { seed: 2, allowedTokens: allowed }, 100));
  assert.equal([...drawn].sort(), [63, 65]);
  const none = new Uint32Array(3);
  await raises(() => choose(logits, { allowedTokens: none }), 'OPTION', [
    'allowedTokens',
    'at least one',
  ]);
  const short = new Uint32Array(2);
  await raises(() => choose(logits, { allowedTokens: short }), 'OPTION', ['2 words', 'expected 3']);
});

test('what rules out every token is named', async () => {
  const never = Number.NEGATIVE_INFINITY;
  const bias = { 0: never, 1: never };
  for (const temperature of [0, 1]) {
    await raises(() => choose([1, 2], { temperature, logitBias: bias }), 'OPTION', ['logitBias']);
    const both = { temperature, logitBias: { 1: never }, allowedTokens: new Uint32Array([2]) };
    await raises(() => choose([1, 2], both), 'OPTION', ['allowedTokens and logitBias']);
  }
});

test('options out of their interval', async () => {
  const cases: [SamplerOptions, ...(string | number)[]][] = [
    [{ temperature: -1 }, 'temperature', 'came -1'],
    [{ temperature: 1e-9 }, 'temperature', '0, or a number from 0.000001 to 1000000', 'came 1e-9'],
    [{ temperature: 1e-300 }, 'temperature', 'came 1e-300'],
    [{ temperature: 5e-324 }, 'temperature', 'came 5e-324'],
    [{ temperature: 1e39 }, 'temperature', 'came 1e+39'],
    [{ temperature: Number.NaN }, 'temperature', 'NaN'],
    [{ temperature: Number.POSITIVE_INFINITY }, 'temperature', 'Infinity'],
    [{ temperature: '1' as unknown as number }, 'temperature'],
    [{ topK: -1 }, 'topK', '0 or more', 'came -1'],
    [{ topK: 1.5 }, 'topK', 'integer', 'came 1.5'],
    [{ topP: 0 }, 'topP', '(0, 1]', 'came 0'],
    [{ topP: 1.1 }, 'topP', 'came 1.1'],
    [{ minP: -0.1 }, 'minP', '[0, 1]', 'came -0.1'],
    [{ minP: 1.1 }, 'minP', 'came 1.1'],
    [{ topP: Number.NaN }, 'topP', 'came NaN'],
    [{ minP: Number.NaN }, 'minP', 'came NaN'],
    [{ topK: Number.POSITIVE_INFINITY }, 'topK', 'came Infinity'],
    [{ repetitionPenalty: 0 }, 'repetitionPenalty', 'from 0.001 to 1000', 'came 0'],
    [{ repetitionPenalty: 1e-300 }, 'repetitionPenalty', 'from 0.001 to 1000', 'came 1e-300'],
    [{ repetitionPenalty: 1e300 }, 'repetitionPenalty', 'came 1e+300'],
    [{ repetitionPenalty: Number.NaN }, 'repetitionPenalty', 'came NaN'],
    [{ seed: -1 }, 'seed', 'came -1'],
    [{ seed: 2 ** 53 }, 'seed', '2^53 - 1', 'came 9007199254740992'],
    [{ seed: 0.5 }, 'seed', 'came 0.5'],
    [{ logitBias: { [-1]: 1 } }, 'logitBias', 'came -1'],
    [{ logitBias: { 1: Number.NaN } }, 'logitBias', 'token 1', 'NaN'],
    [
      { logitBias: { 1: Number.POSITIVE_INFINITY } },
      'logitBias',
      'token 1',
      'to 1e+30',
      'Infinity',
    ],
    [{ logitBias: { 1: 1e31 } }, 'logitBias', 'token 1', 'from -1e+30 to 1e+30', 'came 1e+31'],
    [{ logitBias: { 1: '9' as unknown as number } }, 'logitBias', 'token 1', 'came 9'],
  ];
  for (const [options, ...parts] of cases) {
    await raises(() => new Sampler(options), 'OPTION', ['[sampler]', ...parts]);
  }
});

test('defaults of generation_config.json', async () => {
  assert.equal(samplerDefaults(null), {});
  assert.is(new Sampler(samplerDefaults('{"bos_token_id": 1}')).temperature, 1);
  const file = {
    do_sample: true,
    temperature: 0.7,
    top_k: 20,
    top_p: 0.8,
    min_p: 0,
    repetition_penalty: 1.05,
  };
  const { temperature, topK, topP, minP, repetitionPenalty } = new Sampler(
    samplerDefaults(JSON.stringify(file)),
  );
  assert.equal(
    { temperature, topK, topP, minP, repetitionPenalty },
    {
      temperature: 0.7,
      topK: 20,
      topP: 0.8,
      minP: 0,
      repetitionPenalty: 1.05,
    },
  );
  const greedy = new Sampler(samplerDefaults('{"do_sample": false, "temperature": 0.7}'));
  assert.is(greedy.temperature, 0);
  await raises(() => samplerDefaults('{'), 'FORMAT', ['generation_config.json']);
});

test('a generation_config.json that the sampler would refuse is refused, by file and field', async () => {
  const cases: [field: string, value: string, option: keyof SamplerOptions][] = [
    ['temperature', '-1', 'temperature'],
    ['temperature', '1e-9', 'temperature'],
    ['temperature', '1e999', 'temperature'],
    ['temperature', '"hot"', 'temperature'],
    ['temperature', '"NaN"', 'temperature'],
    ['top_k', '-1', 'topK'],
    ['top_k', '2.5', 'topK'],
    ['top_k', '[5]', 'topK'],
    ['top_p', '0', 'topP'],
    ['top_p', '2', 'topP'],
    ['top_p', 'true', 'topP'],
    ['min_p', '-0.5', 'minP'],
    ['min_p', '{}', 'minP'],
    ['repetition_penalty', '0', 'repetitionPenalty'],
    ['repetition_penalty', '1e-300', 'repetitionPenalty'],
    ['repetition_penalty', '"1"', 'repetitionPenalty'],
  ];
  for (const [field, value, option] of cases) {
    const { expected } = RANGES[option as keyof typeof RANGES];
    const named = ['[generation_config.json]', field, expected];
    await raises(() => samplerDefaults(`{"${field}": ${value}}`), 'FORMAT', named, value);
    await raises(() => new Sampler({ [option]: JSON.parse(value) }), 'OPTION', [option, expected]);
  }
  await raises(() => samplerDefaults('{"do_sample": 1}'), 'FORMAT', ['do_sample', 'came 1']);
  await raises(() => samplerDefaults('{"top_p": NaN}'), 'FORMAT', ['generation_config.json']);
});

const FROZEN_PLAIN = [16, 3, 17, 2, 10, 14, 19, 17, 17, 2, 5, 14];
const FROZEN_FILTERED = [11, 17, 8, 17, 14, 11, 5, 8, 8, 17, 17, 11];

test.run();
