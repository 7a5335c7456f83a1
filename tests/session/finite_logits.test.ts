// NaN and infinite logits are an error at every way out of a session.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createExecutor } from '../../bindings/executor/select.js';
import { loadModel } from '../../bindings/load.js';
import type { RopeScaling } from '../../bindings/model/config.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { Sampler } from '../../bindings/sampler/sampler.js';
import { Session } from '../../bindings/session/session.js';
import { FakeExecutor, fakeOwner, hashedLogits, ownerOf } from '../support/fake_executor.js';
import { raises } from '../support/raises.js';
import { product } from '../support/random.js';
import {
  floatWeight,
  tinyCheckpoint,
  tinyConfig,
  writeOverflowing,
} from '../support/tiny_model.js';

const VOCABULARY = 30;
const BAD = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];

/** A session whose logits are `bad` for token 20 once they come after token 7. */
function setUp(bad: number) {
  const logitsAfter = (history: readonly number[]) => {
    const logits = hashedLogits(history, VOCABULARY);
    if (history.at(-1) === 7) logits[20] = bad;
    return logits;
  };
  return new Session(fakeOwner(new FakeExecutor({ vocabSize: VOCABULARY, logitsAfter })), 200);
}

const onlyFirst = new Uint32Array([1]);
const EXITS: [name: string, exit: (session: Session) => Promise<unknown>][] = [
  ['prefill', (session) => session.prefill([5, 6, 7])],
  ['decode', (session) => session.prefill([5, 6]).then(() => session.decode(7))],
  ['logProbs', (session) => session.logProbs([5, 6, 7, 8])],
  ['greedy', (session) => session.sample([5, 6, 7], new Sampler({ temperature: 0 }))],
  ['sampling', (session) => session.sample([5, 6, 7], new Sampler({ seed: 1 }))],
  ['topK', (session) => session.sample([5, 6, 7], new Sampler({ seed: 1, topK: 1 }))],
  [
    'a mask that hides it',
    (session) => session.sample([5, 6, 7], new Sampler({ allowedTokens: onlyFirst })),
  ],
  [
    'a bias that hides it',
    (session) =>
      session.sample([5, 6, 7], new Sampler({ logitBias: { 20: Number.NEGATIVE_INFINITY } })),
  ],
  ['a chooser of the caller', (session) => session.sample([5, 6, 7], { choose: () => 3 })],
];

for (const [name, exit] of EXITS) {
  test(`${name}: refused, and the session stays as it was`, async () => {
    for (const bad of BAD) {
      const session = setUp(bad);
      const where = 'after token 7 at position 2';
      await raises(() => exit(session), 'FORMAT', [where, `came ${bad} for token 20`, 'weights']);
      const { length } = session;
      assert.equal(session.tokens, [5, 6].slice(0, length));
      const rest = [5, 6, 8].slice(length);
      assert.equal(await session.prefill(rest), hashedLogits([5, 6, 8], VOCABULARY));
    }
  });
}

test('the largest finite logits are no error', async () => {
  const most = (2 - 2 ** -23) * 2 ** 127;
  const logits = [most, most, -most, most, -most];
  const executor = new FakeExecutor({ vocabSize: 5, logitsAfter: () => logits });
  const session = new Session(fakeOwner(executor), 20);
  assert.equal([...(await session.prefill([1]))], logits);
  const [, second] = await session.logProbs([1, 0]);
  assert.ok(Math.abs(second! + Math.log(3)) < 1e-12, `${second}`);
});

test('configs at the ends of their ranges give finite logits, also for a row of zeros', async () => {
  const llama3 = { lowFreqFactor: 1, highFreqFactor: 1 + 2 ** -52, originalContext: 1 };
  const scalings: (RopeScaling | null)[] = [
    null,
    { type: 'linear', factor: 1e4 },
    { type: 'llama3', factor: 1e4, ...llama3 },
  ];
  for (const { theta, rmsNormEps, scaling } of product({
    theta: [1, 1e12],
    rmsNormEps: [1e-30, 1],
    scaling: scalings,
  })) {
    const rope = { theta, style: 'halves', scaling } as const;
    const config = { ...tinyConfig(), rmsNormEps, rope };
    const checkpoint = tinyCheckpoint(1, config);
    const { path, shape } = checkpoint.weights.get('model.embed_tokens')!;
    const zeros = floatWeight(path, shape, new Float32Array(shape[0]! * shape[1]!));
    for (const weights of [checkpoint.weights, new Map([...checkpoint.weights, [path, zeros]])]) {
      for (const device of ['wasm', 'reference'] as const) {
        const executor = await createExecutor(
          planFor(config),
          { ...checkpoint, weights },
          { device, threads: 1 },
        );
        const session = new Session(ownerOf(executor, config.vocabSize), config.contextLength);
        await session.prefill(Array.from({ length: 40 }, (_, i) => i));
        await executor.dispose();
      }
    }
  }
});

test('a model whose weights overflow, in every executor', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'halfbyte-overflow-'));
  try {
    const path = await writeOverflowing(dir);
    for (const device of ['wasm', 'reference'] as const) {
      const model = await loadModel(path, { device, threads: 1 });
      const session = await model.createSession();
      const named = ['position', 'expected finite numbers'];
      for (const [name, exit] of EXITS) await raises(() => exit(session), 'FORMAT', named, name);
      assert.is(session.length, 0);
      await raises(() => model.complete('the hen', { maxTokens: 2 }), 'FORMAT', named);
      await model.dispose();
    }
  } finally {
    await rm(dir, { recursive: true });
  }
});

test.run();
