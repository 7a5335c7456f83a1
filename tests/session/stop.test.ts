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

/** Makes the next steps hang. @returns a promise of the first one's start, and what lets them go on */
function hang(executor: FakeExecutor): { begun: Promise<void>; goOn: () => void } {
  let goOn = () => {};
  const hanging = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  const begun = new Promise<void>((resolve) => {
    executor.onRun = () => {
      resolve();
      return hanging;
    };
  });
  return { begun, goOn };
}

test('abort while a step hangs: at once, but its pages are kept until the step is over', async () => {
  const { executor, owner, session } = setUp();
  await session.prefill([1, 2, 3]);
  const { begun, goOn } = hang(executor);
  const controller = new AbortController();
  const work = reasonOf(session.prefill(LONG, { signal: controller.signal }));
  await begun;
  controller.abort(new Error('enough'));
  assert.is(((await work) as Error).message, 'enough');
  assert.equal(session.tokens, [1, 2, 3]);
  assert.is(owner.pages.inUse, 2, 'the step may still write into the second');
  const next = session.decode(4);
  goOn();
  assert.equal(await next, hashedLogits([1, 2, 3, 4], 50));
  assert.equal(session.tokens, [1, 2, 3, 4]);
  assert.is(owner.pages.inUse, 1);
});

test('abort and dispose while the step of another session hangs', async () => {
  const { executor, owner, session } = setUp();
  const other = new Session(owner, 100);
  const { begun, goOn } = hang(executor);
  const hanging = other.prefill([5, 6]);
  await begun;
  const controller = new AbortController();
  const work = reasonOf(session.prefill([1, 2], { signal: controller.signal }));
  const disposed = raises(() => new Session(owner, 100).decode(1), 'DISPOSED', []);
  await new Promise((resolve) => setTimeout(resolve, 5));
  controller.abort(new Error('enough'));
  assert.is(((await work) as Error).message, 'enough');
  for (const one of owner.sessions) if (one !== other) await one.dispose();
  await disposed;
  assert.is(owner.pages.inUse, 1);
  goOn();
  assert.equal(await hanging, hashedLogits([5, 6], 50));
  assert.is(executor.steps, 1, 'what was aborted before its turn never ran');
});

test('dispose while a step hangs: the call ends at once, the pages are given back after the step', async () => {
  const { executor, owner, session } = setUp();
  const { begun, goOn } = hang(executor);
  const work = raises(() => session.prefill(LONG), 'DISPOSED', []);
  await begun;
  const disposed = session.dispose();
  await work;
  assert.is(owner.pages.inUse, 2);
  goOn();
  await disposed;
  assert.is(owner.pages.inUse, 0);
});

test('many calls may share a signal, and leave nothing on it', async () => {
  const { owner } = setUp();
  const warnings: Error[] = [];
  const onWarning = (warning: Error) => warnings.push(warning);
  process.on('warning', onWarning);
  const { signal } = new AbortController();
  let listeners = 0;
  const count = (method: 'addEventListener' | 'removeEventListener', by: number) => {
    const original = signal[method].bind(signal) as (...args: unknown[]) => void;
    signal[method] = (...args: unknown[]) => {
      listeners += by;
      original(...args);
    };
  };
  count('addEventListener', 1);
  count('removeEventListener', -1);
  const calls = Array.from({ length: 30 }, () => new Session(owner, 9).decode(1, { signal }));
  await Promise.all(calls);
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.off('warning', onWarning);
  assert.equal(warnings, []);
  assert.is(listeners, 0);
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
