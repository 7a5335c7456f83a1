// Sessions: prefill, decode, fork, truncate, dispose; whatever the way, the same bits.

import { loadModel, type Session } from 'halfbyte';
import * as assert from 'uvu/assert';
import { test } from './support/collect.js';
import { twoThreads } from './support/findings.js';
import { PROMPT, rejects, sameBits, withModel } from './support/fixtures.js';
import { modelBytes } from './support/models.js';

async function prefillInChunks(session: Session, tokens: readonly number[], chunk: number) {
  let logits = new Float32Array(0);
  for (let i = 0; i < tokens.length; i += chunk) {
    logits = (await session.prefill(tokens.slice(i, i + chunk))) as Float32Array<ArrayBuffer>;
  }
  return logits;
}

test('prefill in one piece, in chunks and token by token', () =>
  withModel('int4', {}, async (model) => {
    const tokens = PROMPT.slice(0, 70);
    const whole = await model.createSession();
    const expected = await whole.prefill(tokens);
    assert.is(expected.length, 300);
    assert.is(whole.length, 70);
    for (const chunk of [1, 3, 64]) {
      const session = await model.createSession();
      sameBits(await prefillInChunks(session, tokens, chunk), expected, `chunks of ${chunk}`);
      await session.dispose();
    }
  }));

test('fork: both go on by themselves', () =>
  withModel('float', {}, async (model) => {
    const session = await model.createSession();
    await session.prefill(PROMPT.slice(0, 40));
    const branch = await session.fork();
    const other = await branch.decode(7);
    const own = await session.decode(9);
    assert.equal(branch.tokens.slice(-2), [PROMPT[39], 7]);
    assert.equal(session.tokens.slice(-2), [PROMPT[39], 9]);
    const fresh = await model.createSession();
    sameBits(await fresh.prefill([...PROMPT.slice(0, 40), 7]), other, 'branch');
    await fresh.truncate(40);
    sameBits(await fresh.decode(9), own, 'trunk');
  }));

test('truncate and replay', () =>
  withModel('int8', {}, async (model) => {
    const session = await model.createSession();
    const expected = await session.prefill(PROMPT);
    await session.truncate(100);
    assert.is(session.length, 100);
    sameBits(await prefillInChunks(session, PROMPT.slice(100), 13), expected, 'replayed');
    await rejects(() => session.truncate(271), 'OPTION', '270', '271');
  }));

test('sessions take turns', () =>
  withModel('int4', {}, async (model) => {
    const one = await model.createSession();
    const two = await model.createSession();
    const [a, b] = await Promise.all([one.prefill(PROMPT), two.prefill(PROMPT.slice(5))]);
    await one.truncate(0);
    sameBits(await one.prefill(PROMPT.slice(5)), b, 'the second');
    await two.truncate(0);
    sameBits(await two.prefill(PROMPT), a, 'the first');
  }));

test('a full context and tokens that do not exist', () =>
  withModel('float', {}, async (model) => {
    const session = await model.createSession({ contextLength: 8 });
    await session.prefill([1, 2, 3, 4, 5, 6, 7]);
    await rejects(() => session.prefill([8, 9]), 'CAPACITY', '8', '9');
    await rejects(() => session.decode(300), 'OPTION', '299', '300');
    assert.is(session.length, 7);
    await session.decode(8);
  }));

test('a session belongs to the generation that runs in it', () =>
  withModel('int4', {}, async (model) => {
    const options = { temperature: 0, maxTokens: 6, logitBias: { 2: -100 } };
    const expected = await model.complete(PROMPT.slice(0, 9), options);
    const session = await model.createSession();
    const tokens: number[] = [];
    for await (const { token } of model.generate(PROMPT.slice(0, 9), { ...options, session })) {
      tokens.push(token);
      await rejects(() => session.truncate(0), 'OPTION', 'generation');
      await rejects(() => session.decode(1), 'OPTION', 'generation');
      await (await session.fork()).dispose();
    }
    assert.equal(tokens, expected.tokens);
    await session.truncate(0);
  }));

test('pages go back to the model', () =>
  withModel('float', {}, async (model) => {
    const session = await model.createSession();
    await session.prefill(PROMPT.slice(0, 33));
    const branch = await session.fork();
    await branch.decode(1);
    assert.ok(model.kvBytesInUse > 0);
    await session.dispose();
    await branch.dispose();
    await branch.dispose();
    assert.is(model.kvBytesInUse, 0);
    await rejects(() => session.decode(1), 'DISPOSED');
  }));

test('a model that was disposed', async () => {
  const model = await loadModel(modelBytes('int8'), { threads: twoThreads() });
  const session = await model.createSession();
  const running = session.prefill(PROMPT).then(
    () => null,
    (error: unknown) => error,
  );
  await model.dispose();
  await model.dispose();
  const error = await running;
  if (error !== null) await rejects(() => Promise.reject(error), 'DISPOSED');
  await rejects(() => session.decode(1), 'DISPOSED');
  await rejects(() => model.createSession(), 'DISPOSED');
  await rejects(() => model.complete('once'), 'DISPOSED');
});
