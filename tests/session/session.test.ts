import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Sampler } from '../../bindings/sampler/sampler.js';
import { Session } from '../../bindings/session/session.js';
import { FakeExecutor, fakeOwner, hashedLogits } from '../support/fake_executor.js';
import { raises } from '../support/raises.js';
import { TestRandom } from '../support/random.js';

const VOCABULARY = 50;

function setUp(options: ConstructorParameters<typeof FakeExecutor>[0] = {}) {
  const executor = new FakeExecutor({ vocabSize: VOCABULARY, ...options });
  const owner = fakeOwner(executor);
  return { executor, owner, session: new Session(owner, 200) };
}

function someTokens(count: number, seed = 1): number[] {
  const random = new TestRandom(seed);
  return Array.from({ length: count }, () => random.below(VOCABULARY));
}

test('prefill in one piece, in chunks and token by token gives the same logits', async () => {
  const tokens = someTokens(100);
  const expected = hashedLogits(tokens, VOCABULARY);
  for (const rowsPerStep of [1, 3, 64]) {
    for (const piece of [1, 5, 40, 100]) {
      const { session } = setUp({ rowsPerStep });
      let logits = new Float32Array();
      for (let i = 0; i < tokens.length; i += piece) {
        logits = Float32Array.from(await session.prefill(tokens.slice(i, i + piece)));
      }
      assert.equal(logits, expected, `rows ${rowsPerStep}, pieces of ${piece}`);
      assert.equal(session.tokens, tokens);
      assert.is(session.length, 100);
    }
  }
});

test('the logits are a copy', async () => {
  const { session } = setUp();
  const first = await session.prefill([1]);
  const kept = first.slice();
  await session.decode(2);
  assert.equal(first, kept);
});

test('fork: both go on alone, and share until they do', async () => {
  const { executor, session } = setUp();
  const tokens = someTokens(45);
  await session.prefill(tokens);
  const fork = await session.fork();
  assert.is(executor.kv.pages.size, 2);
  assert.equal(await fork.decode(1), hashedLogits([...tokens, 1], VOCABULARY));
  assert.equal(await session.decode(2), hashedLogits([...tokens, 2], VOCABULARY));
  assert.equal(await fork.decode(3), hashedLogits([...tokens, 1, 3], VOCABULARY));
  await session.dispose();
  assert.equal(await fork.decode(4), hashedLogits([...tokens, 1, 3, 4], VOCABULARY));
  await fork.dispose();
  assert.is(executor.kv.pages.size, 0);
});

test('truncate and replay', async () => {
  const { session } = setUp();
  const tokens = someTokens(90);
  const expected = await session.prefill(tokens);
  for (const length of [89, 64, 63, 32, 1, 0]) {
    await session.truncate(length);
    assert.is(session.length, length);
    assert.equal(await session.prefill(tokens.slice(length)), expected, `from ${length}`);
  }
});

test('sample feeds and chooses', async () => {
  const { session } = setUp();
  const tokens = someTokens(20);
  const token = await session.sample(tokens, new Sampler({ temperature: 0 }));
  const logits = hashedLogits(tokens, VOCABULARY);
  assert.is(token, logits.indexOf(Math.max(...logits)));
  assert.equal(session.tokens, tokens, 'what was chosen is not fed');
});

test('sample knows the whole history', async () => {
  const { session } = setUp();
  await session.prefill([1, 2, 3]);
  const seen: number[][] = [];
  await session.sample([4, 5], { choose: (_e, _i, history) => seen.push([...history]) });
  assert.equal(seen, [[1, 2, 3, 4, 5]]);
});

test('logProbs: what each token was given', async () => {
  const tokens = someTokens(40);
  const expected = tokens.map((token, i) => {
    const logits = Array.from(hashedLogits(tokens.slice(0, i), VOCABULARY));
    return logits[token]! - Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit), 0));
  });
  for (const given of [0, 1, 31, 32, 33]) {
    const { session } = setUp();
    if (given > 0) await session.prefill(tokens.slice(0, given));
    const fork = await session.fork();
    const actual = await session.logProbs(tokens.slice(given));
    assert.is(actual.length, 40 - given);
    for (const [i, value] of actual.entries()) {
      if (given + i === 0) assert.ok(Number.isNaN(value), 'nothing predicts the first token');
      else assert.ok(Math.abs(value - expected[given + i]!) < 1e-6, `${given} + ${i}: ${value}`);
    }
    assert.equal(session.tokens, tokens);
    assert.is(fork.length, given);
    if (given > 0) {
      const next = hashedLogits([...tokens.slice(0, given), 7], VOCABULARY);
      assert.equal(await fork.decode(7), next);
    }
  }
});

test('logProbs that fails leaves a shared page readable', async () => {
  const { executor, session } = setUp();
  await session.prefill(someTokens(40));
  const fork = await session.fork();
  executor.onRun = () => {
    throw new Error('broken');
  };
  await assertBroken(fork.logProbs([1, 2]));
  executor.onRun = () => {};
  assert.equal(await fork.decode(3), hashedLogits([...someTokens(40), 3], VOCABULARY));
});

test('a failing step leaves the session as it was', async () => {
  const { executor, owner, session } = setUp();
  const tokens = someTokens(30);
  await session.prefill(tokens);
  let left = 2;
  executor.onRun = () => {
    if (left-- === 0) throw new Error('broken');
  };
  await assertBroken(session.prefill(someTokens(60, 2)));
  assert.equal(session.tokens, tokens);
  assert.is(owner.pages.inUse, 1);
  executor.onRun = () => {};
  assert.equal(await session.decode(9), hashedLogits([...tokens, 9], VOCABULARY));
});

test('memory that runs out leaves the session as it was', async () => {
  const { owner, session } = setUp({ maxPages: 2 });
  await session.prefill(someTokens(40));
  await raises(() => session.prefill(someTokens(60)), 'CAPACITY', ['3 pages', 'limit 2']);
  assert.is(session.length, 40);
  assert.is(owner.pages.inUse, 2);
  const fork = await session.fork();
  await raises(() => fork.decode(1), 'CAPACITY', []);
  await fork.dispose();
  assert.equal(await session.decode(1), hashedLogits([...someTokens(40), 1], VOCABULARY));
});

test('concurrent calls: one session in order, several in turns', async () => {
  const { owner, session } = setUp({ rowsPerStep: 2 });
  const other = new Session(owner, 200);
  const [a, b, c, d] = await Promise.all([
    session.prefill([1, 2, 3, 4, 5]),
    session.sample([6], new Sampler({ temperature: 0 })),
    other.prefill([9, 8, 7, 6, 5]),
    other.sample([4], new Sampler({ seed: 3 })),
  ]);
  assert.equal(a, hashedLogits([1, 2, 3, 4, 5], VOCABULARY));
  assert.equal(session.tokens, [1, 2, 3, 4, 5, 6]);
  const logits = hashedLogits([1, 2, 3, 4, 5, 6], VOCABULARY);
  assert.is(b, logits.indexOf(Math.max(...logits)));
  assert.equal(c, hashedLogits([9, 8, 7, 6, 5], VOCABULARY));
  const alone = await new Session(owner, 200).sample([9, 8, 7, 6, 5, 4], new Sampler({ seed: 3 }));
  assert.is(d, alone);
});

test('progress counts the tokens of the call', async () => {
  const { session } = setUp({ rowsPerStep: 4 });
  await session.prefill([1, 2]);
  const seen: number[] = [];
  await session.prefill(someTokens(10), {
    onProgress: ({ stage, done, total }) => {
      assert.is(stage, 'prefill');
      assert.is(total, 10);
      seen.push(done);
    },
  });
  assert.equal(seen, [4, 8, 10]);
});

async function assertBroken(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    assert.is((error as Error).message, 'broken');
    return;
  }
  assert.unreachable('expected an error');
}

test.run();
