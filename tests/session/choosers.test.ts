// Token choosers that take their time: they block their own session only, and see their own logits.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Sampler } from '../../bindings/sampler/sampler.js';
import type { TokenChooser } from '../../bindings/session/owner.js';
import { Session } from '../../bindings/session/session.js';
import { FakeExecutor, fakeOwner, hashedLogits } from '../support/fake_executor.js';
import { raises } from '../support/raises.js';

const VOCABULARY = 50;
const NEVER = new Promise<never>(() => {});

function setUp() {
  const executor = new FakeExecutor({ vocabSize: VOCABULARY });
  const owner = fakeOwner(executor);
  return { executor, owner, session: new Session(owner, 100), other: new Session(owner, 100) };
}

/** A chooser that never resolves, and a promise of the time when it was asked. */
function stuck(): { chooser: TokenChooser; asked: Promise<void> } {
  let tell = () => {};
  const asked = new Promise<void>((resolve) => {
    tell = resolve;
  });
  const choose = () => {
    tell();
    return NEVER;
  };
  return { chooser: { choose }, asked };
}

test('other sessions go on while a chooser is asked', async () => {
  const { session, other } = setUp();
  const { chooser, asked } = stuck();
  const choosing = session.sample([1, 2], chooser);
  await asked;
  assert.equal(await other.prefill([7, 8]), hashedLogits([7, 8], VOCABULARY));
  await (await other.fork()).decode(9);
  const stopped = raises(() => choosing, 'DISPOSED', ['session']);
  await session.dispose();
  await stopped;
  await other.dispose();
});

test('an abort ends the call that waits for a chooser: the session is as it was, and goes on', async () => {
  const { executor, session } = setUp();
  await session.prefill([1, 2]);
  const { chooser, asked } = stuck();
  const stop = new AbortController();
  const choosing = session.sample([3], chooser, { signal: stop.signal }).catch((error) => error);
  const next = session.decode(4);
  await asked;
  stop.abort('enough');
  assert.is(await choosing, 'enough');
  assert.equal(await next, hashedLogits([1, 2, 4], VOCABULARY));
  assert.equal(session.tokens, [1, 2, 4]);
  assert.is(executor.kv.pages.size, 1);
});

test('a call that waits behind a chooser can be aborted too', async () => {
  const { session } = setUp();
  const { chooser, asked } = stuck();
  const choosing = raises(() => session.sample([3], chooser), 'DISPOSED', []);
  const stop = new AbortController();
  const waiting = session.decode(4, { signal: stop.signal }).catch((error) => error);
  await asked;
  stop.abort('enough');
  assert.is(await waiting, 'enough');
  await session.dispose();
  await choosing;
});

test('a chooser that fails leaves the session as it was', async () => {
  const { session } = setUp();
  const failure = new Error('no idea');
  for (const choose of [
    () => Promise.reject(failure),
    () => {
      throw failure;
    },
  ]) {
    assert.is(await session.sample([3], { choose }).catch((error) => error), failure);
    assert.is(session.length, 0);
  }
});

test('a chooser that takes its time chooses what a sampler alone does', async () => {
  const { session, other } = setUp();
  const options = { temperature: 0.8, topK: 20, seed: 5, repetitionPenalty: 1.3 };
  const sampler = new Sampler(options);
  const alone = await new Session(setUp().owner, 100).sample([5, 6, 7], new Sampler(options));
  const token = await session.sample([5, 6, 7], {
    async choose(executor, index, history) {
      // Overwrites the executor's logits, once by a step that wants some and once by one that wants none.
      await other.decode(1);
      const asked = await sampler.choose(executor, index, history);
      await other.prefill([1, 2, 3, 4, 5, 6, 7, 8]);
      return asked;
    },
  });
  assert.is(token, alone);
});

test('logits that a chooser keeps are its own, before and after softmax', async () => {
  const { session, other } = setUp();
  const expected = hashedLogits([5, 6], VOCABULARY);
  const largest = expected.indexOf(Math.max(...expected));
  await session.sample([5, 6], {
    async choose(executor) {
      const logits = await executor.logits(0);
      await other.decode(3);
      assert.equal(logits, expected);
      const probabilities = await executor.softmax(0, 1);
      await other.decode(4);
      const sum = probabilities.reduce((all, p) => all + p, 0);
      assert.ok(Math.abs(sum - 1) < 1e-5, `${sum}`);
      assert.is(probabilities.indexOf(Math.max(...probabilities)), largest);
      return largest;
    },
  });
});

test('a sampler reads in place; what overrides its choice does not hold up others', async () => {
  const { executor, session, other } = setUp();
  const { logits } = executor;
  let reads = 0;
  executor.logits = (index) => {
    reads++;
    return logits.call(executor, index);
  };
  await session.sample([1], new Sampler({ temperature: 0 }));
  // Whether they are finite, and the largest.
  assert.is(reads, 2);
  class Stuck extends Sampler {
    override choose() {
      return NEVER;
    }
  }
  const stop = new AbortController();
  const choosing = session.sample([2], new Stuck(), { signal: stop.signal }).catch(() => 'ended');
  await other.decode(3);
  stop.abort();
  assert.is(await choosing, 'ended');
});

test.run();
