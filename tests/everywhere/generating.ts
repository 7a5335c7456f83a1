// Text in, text out: streamed, repeatable, stopped by strings, limits and signals.

import * as assert from 'uvu/assert';
import { test } from './support/collect.js';
import { PROMPT, rejects, thrownBy, withModel } from './support/fixtures.js';

const SAMPLING = { temperature: 0.9, topK: 40, topP: 0.95, seed: 7 };

test('what is streamed is what is completed, and a seed repeats it', () =>
  withModel('int4', {}, async (model) => {
    const options = { ...SAMPLING, maxTokens: 24 };
    const whole = await model.complete('once upon a time', options);
    let text = '';
    const tokens: number[] = [];
    for await (const chunk of model.generate('once upon a time', options)) {
      text += chunk.text;
      tokens.push(chunk.token);
    }
    assert.is(text, whole.text);
    assert.equal(tokens.slice(0, whole.tokens.length), whole.tokens);
    assert.is(whole.promptTokens[0], 1);
    assert.is(whole.seed, 7);
    assert.is(model.kvBytesInUse, 0);
  }));

test('no tokens, a stop string, a full context', () =>
  withModel('float', {}, async (model) => {
    const none = await model.complete('once', { maxTokens: 0 });
    assert.equal(none.tokens, []);
    const greedy = { temperature: 0, maxTokens: 20 };
    const { text } = await model.complete('once', greedy);
    const stop = text.slice(3, 6);
    const stopped = await model.complete('once', { ...greedy, stop });
    assert.is(stopped.finishReason, 'stop');
    assert.is(stopped.text, text.slice(0, text.indexOf(stop)));
    const full = await model.complete(PROMPT, { temperature: 0, logitBias: { 2: -100 } });
    assert.is(full.finishReason, 'length');
    await rejects(() => model.complete([]), 'OPTION');
    await rejects(() => model.complete([...PROMPT, ...PROMPT]), 'CAPACITY', '540', '320');
  }));

test('a generation that is left early frees its pages', () =>
  withModel('int8', {}, async (model) => {
    for await (const _ of model.generate('once', { temperature: 0, logitBias: { 2: -100 } })) break;
    assert.is(model.kvBytesInUse, 0);
  }));

test('a generation that is stopped', () =>
  withModel('int8', {}, async (model) => {
    const controller = new AbortController();
    const reason = new Error('stop button');
    const { signal } = controller;
    let count = 0;
    const error = await thrownBy(async () => {
      for await (const _ of model.generate('once', { signal, logitBias: { 2: -100 } })) {
        if (++count === 3) controller.abort(reason);
      }
    });
    assert.is(error, reason);
    assert.is(count, 3);
    assert.is(model.kvBytesInUse, 0);
  }));

test('a prefill that is stopped leaves the session as it was', () =>
  withModel('float', {}, async (model) => {
    const session = await model.createSession();
    await session.prefill([5, 6, 7]);
    const controller = new AbortController();
    const reason = new Error('enough');
    const onProgress = () => controller.abort(reason);
    const { signal } = controller;
    const error = await thrownBy(() => session.prefill(PROMPT, { signal, onProgress }));
    assert.is(error, reason);
    assert.equal(session.tokens, [5, 6, 7]);
    await session.decode(8);
  }));

test('timers go on while a text is generated', () =>
  withModel('float', {}, async (model) => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 0);
    const options = { temperature: 0, maxTokens: 200, logitBias: { 2: -100 } };
    const { tokens } = await model.complete('once', options);
    clearInterval(timer);
    assert.is(tokens.length, 200);
    assert.ok(ticks > 0, 'no timer fired');
  }));
