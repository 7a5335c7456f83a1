// Generations that are refused, aborted or left.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { complete, generate } from '../../bindings/generate.js';
import { Session } from '../../bindings/session/session.js';
import { fakeTextModel } from '../support/fake_text_model.js';
import { raises } from '../support/raises.js';

test('bad options are refused at once', async () => {
  const model = fakeTextModel();
  await raises(() => generate(model, [1], { maxTokens: -1 }), 'OPTION', ['maxTokens', 'came -1']);
  await raises(() => generate(model, [1], { maxTokens: 1.5 }), 'OPTION', ['maxTokens', 'came 1.5']);
  await raises(() => generate(model, [1], { temperature: -1 }), 'OPTION', ['temperature']);
  await raises(() => generate(model, [1], { stop: '' }), 'OPTION', ['stop']);
  for (const wrong of [5, [5]]) {
    const stop = wrong as unknown as string;
    await raises(() => generate(model, [1], { stop }), 'OPTION', ['stop', 'came 5']);
  }
  for (const prompt of [null, 5, {}]) {
    const call = () => generate(model, prompt as unknown as string);
    await raises(call, 'OPTION', ['prompt', `came ${prompt}`]);
  }
  await raises(() => complete(model, [999]), 'OPTION', ['token 0', 'came 999']);
  assert.is(model.owner.sessions.size, 0);
});

test('abort: before and in the middle, with the reason, and nothing is left', async () => {
  const model = fakeTextModel();
  const reason = new Error('enough');
  for (const after of [0, 3]) {
    const controller = new AbortController();
    if (after === 0) controller.abort(reason);
    let seen = 0;
    let caught: unknown;
    try {
      for await (const _ of generate(model, [1], { seed: 1, signal: controller.signal })) {
        if (++seen === after) controller.abort(reason);
      }
    } catch (error) {
      caught = error;
    }
    assert.is(caught, reason);
    assert.is(seen, after);
    assert.is(model.executor.kv.pages.size, 0);
    assert.is(model.owner.sessions.size, 0);
  }
});

test('leaving the loop frees the session', async () => {
  const model = fakeTextModel();
  for await (const _ of generate(model, [1], { seed: 1 })) break;
  assert.is(model.executor.kv.pages.size, 0);
  assert.is(model.owner.sessions.size, 0);
});

test("the caller's session stays open when aborted", async () => {
  const model = fakeTextModel();
  const session = new Session(model.owner, 50);
  const options = { seed: 1, session, signal: AbortSignal.abort(new Error('enough')) };
  let caught: unknown;
  await complete(model, [1, 2], options).catch((error) => {
    caught = error;
  });
  assert.is((caught as Error).message, 'enough');
  assert.is(session.length, 0);
  await session.prefill([1]);
});

test.run();
