// Sessions that are told to stop, used wrongly or used too late.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorCode } from '../../bindings/errors.js';
import { Sampler } from '../../bindings/sampler/sampler.js';
import { Session } from '../../bindings/session/session.js';
import { FakeExecutor, fakeOwner, hashedLogits } from '../support/fake_executor.js';
import { raises } from '../support/raises.js';

const LONG = Array.from({ length: 60 }, (_, i) => i % 50);

function setUp() {
  const executor = new FakeExecutor({ vocabSize: 50, rowsPerStep: 5 });
  const owner = fakeOwner(executor);
  return { executor, owner, session: new Session(owner, 100) };
}

/** @returns what the promise was rejected with */
async function reasonOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
  } catch (error) {
    return error;
  }
  return assert.unreachable('expected an abort');
}

test('abort before the call: no step runs', async () => {
  const { executor, session } = setUp();
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  assert.is(await reasonOf(session.prefill(LONG, { signal })), reason);
  assert.is(await reasonOf(session.decode(1, { signal })), reason);
  assert.is(await reasonOf(session.sample([1], new Sampler(), { signal })), reason);
  assert.is(await reasonOf(session.logProbs([1], { signal })), reason);
  assert.is(executor.steps, 0);
  assert.is(executor.kv.pages.size, 0);
});

test('abort in the middle: the session is as it was before the call', async () => {
  const { executor, session } = setUp();
  await session.prefill([1, 2, 3]);
  const controller = new AbortController();
  const before = executor.steps;
  const work = session.prefill(LONG, {
    signal: controller.signal,
    onProgress: ({ done }) => {
      if (done === 20) controller.abort(new Error('enough'));
    },
  });
  assert.is(((await reasonOf(work)) as Error).message, 'enough');
  assert.is(executor.steps - before, 4);
  assert.equal(session.tokens, [1, 2, 3]);
  assert.is(executor.kv.pages.size, 1);
  assert.equal(await session.decode(4), hashedLogits([1, 2, 3, 4], 50));
});

test('prefill lets timers fire', async () => {
  const { executor, session } = setUp();
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 1);
  executor.onRun = () => {
    for (const end = performance.now() + 1; performance.now() < end; );
  };
  const reason = await reasonOf(session.prefill(LONG, { signal: controller.signal }));
  assert.is((reason as Error).name, 'AbortError');
  assert.is(session.length, 0);
});

test('abort while waiting for an earlier call', async () => {
  const { session } = setUp();
  const controller = new AbortController();
  const first = session.prefill(LONG);
  const second = session.prefill([1], { signal: controller.signal });
  controller.abort(new Error('enough'));
  assert.is(((await reasonOf(second)) as Error).message, 'enough');
  await first;
  assert.is(session.length, 60);
});

test('dispose ends a call under way', async () => {
  const { executor, owner, session } = setUp();
  const work = raises(() => session.prefill(LONG), 'DISPOSED', []);
  await session.dispose();
  await work;
  assert.is(executor.kv.pages.size, 0);
  assert.is(owner.sessions.size, 0);
  await session.dispose();
});

test('use after dispose', async () => {
  const { session } = setUp();
  await session.dispose();
  for (const work of [
    () => session.prefill([1]),
    () => session.decode(1),
    () => session.sample([1], new Sampler()),
    () => session.logProbs([1]),
    () => session.fork(),
    () => session.truncate(0),
  ]) {
    await raises(work, 'DISPOSED', ['session']);
  }
});

test('arguments are checked, with both numbers', async () => {
  const { session } = setUp();
  await session.prefill([1, 2, 3]);
  const cases: [work: () => Promise<unknown>, code: ErrorCode, ...parts: (string | number)[]][] = [
    [() => session.prefill([]), 'OPTION', 'at least one token'],
    [() => session.prefill([1, 50]), 'OPTION', 'token 1', 49, 'came 50'],
    [() => session.prefill([-1]), 'OPTION', 'token 0', 49, 'came -1'],
    [() => session.decode(1.5), 'OPTION', 'integer', 'came 1.5'],
    [() => session.decode(Number.NaN), 'OPTION', 'came NaN'],
    [() => session.decode('7' as unknown as number), 'OPTION', 'came 7'],
    [() => session.sample([99], new Sampler()), 'OPTION', 'came 99'],
    [() => session.logProbs([]), 'OPTION', 'at least one token'],
    [() => session.truncate(4), 'OPTION', 'from 0 to 3', 'came 4'],
    [() => session.truncate(-1), 'OPTION', 'came -1'],
    [() => session.truncate(0.5), 'OPTION', 'came 0.5'],
    [() => session.prefill(new Array(98).fill(1)), 'CAPACITY', 'context of 101', 'has 100'],
  ];
  for (const [work, code, ...parts] of cases) await raises(work, code, [...parts]);
  assert.equal(session.tokens, [1, 2, 3]);
});

test('a full context takes no more', async () => {
  const { session } = setUp();
  await session.prefill(new Array(100).fill(1));
  await raises(() => session.decode(1), 'CAPACITY', [101, 100]);
  await raises(() => session.logProbs([1]), 'CAPACITY', [101, 100]);
  assert.is(session.length, 100);
});

test.run();
