import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Prompt } from '../../bindings/generate/prompt.js';
import {
  complete,
  type GenerateChunk,
  type GenerateOptions,
  type GenerateResult,
  generate,
  type TextModel,
} from '../../bindings/generate.js';
import { EOS, fakeTextModel, fakeTokenizer, scriptedModel } from '../support/fake_text_model.js';
import { raises } from '../support/raises.js';

const tokenizer = fakeTokenizer();
const GREEDY = { temperature: 0 } as const;
/** The tiny tokenizer's token of a byte. */
const byte = (value: number) => 3 + value;

async function stream(
  model: TextModel,
  prompt: Prompt,
  options: GenerateOptions = {},
): Promise<{ chunks: GenerateChunk[]; result: GenerateResult }> {
  const chunks: GenerateChunk[] = [];
  const iterator = generate(model, prompt, options);
  for (;;) {
    const next = await iterator.next();
    if (next.done) return { chunks, result: next.value };
    chunks.push(next.value);
  }
}

function joined(chunks: readonly GenerateChunk[]): string {
  return chunks.map(({ text }) => text).join('');
}

/** Tokens as they follow the prompt [1]. */
function encode(text: string): number[] {
  return tokenizer.encode(text, { addSpecialTokens: false });
}

test('the stream, its result and complete agree', async () => {
  const script = encode('the hen and the bird');
  const model = scriptedModel(script, 1);
  const { chunks, result } = await stream(model, [1], GREEDY);
  assert.equal(
    chunks.map(({ token }) => token),
    script,
  );
  assert.is(joined(chunks), 'the hen and the bird');
  assert.is(result.text, 'the hen and the bird');
  assert.equal(result.tokens, script);
  assert.equal(result.promptTokens, [1]);
  assert.is(result.finishReason, 'stop');
  const { timings, ...expected } = result;
  const { timings: again, ...whole } = await complete(model, [1], { ...GREEDY, seed: result.seed });
  assert.equal(whole, expected);
  assert.equal(Object.keys(again), Object.keys(timings));
  assert.is(model.executor.kv.pages.size, 0);
});

test('timings are there and make sense', async () => {
  const { result } = await stream(scriptedModel(encode('the hen'), 4), [1, 9, 9, 9], GREEDY);
  const { loadMs, firstTokenMs, prefillTokensPerSecond, decodeTokensPerSecond } = result.timings;
  assert.is(loadMs, 1);
  for (const value of [firstTokenMs, prefillTokensPerSecond, decodeTokensPerSecond]) {
    assert.ok(value > 0 && Number.isFinite(value));
  }
});

test('text goes on where the prompt ends: the leading space of a word stays', async () => {
  const script = encode('hen');
  const prompt = tokenizer.encode('the');
  const { result } = await stream(scriptedModel(script, prompt.length), prompt, GREEDY);
  assert.is(result.text, ' hen');
});

test('never half a character', async () => {
  const hen = [0xf0, 0x9f, 0x90, 0x94].map(byte);
  const { chunks } = await stream(scriptedModel([...hen, ...encode('a')], 1), [1], GREEDY);
  assert.equal(
    chunks.map(({ text }) => text),
    ['', '', '', '🐔', ' a'],
  );
});

test('half a character at the end is given out, with the token that ends the text', async () => {
  const model = scriptedModel([byte(0xf0), byte(0x9f)], 1);
  const { chunks, result } = await stream(model, [1], GREEDY);
  assert.equal(chunks.at(-1), { text: '\ufffd', token: EOS });
  assert.is(result.tokens.length, 2);
  const cut = await stream(model, [1], { ...GREEDY, maxTokens: 2 });
  assert.equal(cut.chunks.at(-1), { text: '\ufffd', token: byte(0x9f) });
});

test('stop strings: none of it is given out, wherever tokens end', async () => {
  const text = 'the hen and the bird and the end';
  for (const stop of ['and', 'n and t', ['zzz', 'bird'], 'd', ' ', 'the']) {
    const { chunks, result } = await stream(scriptedModel(encode(text), 1), [1], {
      ...GREEDY,
      stop,
    });
    const ends = [stop].flat().map((one) => text.indexOf(one));
    const expected = text.slice(0, Math.min(...ends.filter((at) => at >= 0)));
    assert.is(joined(chunks), expected, String(stop));
    assert.is(result.text, expected);
    assert.is(result.finishReason, 'stop');
    assert.ok(result.tokens.length < encode(text).length);
  }
});

test('the beginning of a stop string that does not come is given out at the end', async () => {
  const model = scriptedModel(encode('the hen'), 1);
  const { chunks, result } = await stream(model, [1], { ...GREEDY, stop: 'hens' });
  assert.is(joined(chunks), 'the hen');
  assert.is(result.text, 'the hen');
});

test('maxTokens', async () => {
  const script = encode('the hen and the bird');
  for (const maxTokens of [1, 2, script.length]) {
    const model = scriptedModel(script, 1);
    const { chunks, result } = await stream(model, [1], { ...GREEDY, maxTokens });
    assert.is(chunks.length, maxTokens);
    assert.equal(result.tokens, script.slice(0, maxTokens));
    assert.is(result.finishReason, 'length');
    assert.is(joined(chunks), tokenizer.decode(script.slice(0, maxTokens)));
  }
});

test('maxTokens 0 processes the prompt only', async () => {
  const model = scriptedModel([5], 3);
  const session = await model.createSession();
  const { chunks, result } = await stream(model, [1, 8, 9], { maxTokens: 0, session });
  assert.equal(chunks, []);
  assert.equal(result.tokens, []);
  assert.is(result.text, '');
  assert.is(result.finishReason, 'length');
  assert.equal(session.tokens, [1, 8, 9]);
});

test('a full context ends with length', async () => {
  const model = fakeTextModel({
    contextLength: 20,
    logitsAfter: ({ length }) => oneHot(40 + length),
  });
  const { result } = await stream(model, [1, 8, 9], GREEDY);
  // Positions 3..19 hold generated tokens; the last token of all is not fed.
  assert.is(result.tokens.length, 18);
  assert.is(result.finishReason, 'length');
  const full = await stream(model, new Array(20).fill(8), GREEDY);
  assert.is(full.result.tokens.length, 1);
  await raises(() => stream(model, new Array(21).fill(8), GREEDY), 'CAPACITY', [21, 20]);
});

test('the same seed gives the same text, another one does not', async () => {
  const model = fakeTextModel();
  const texts: string[] = [];
  for (const seed of [7, 7, 8]) {
    const { result } = await stream(model, [1], { seed, maxTokens: 20 });
    assert.is(result.seed, seed);
    texts.push(result.tokens.join());
  }
  assert.is(texts[0], texts[1]);
  assert.is.not(texts[0], texts[2]);
  const { result } = await stream(model, [1], { maxTokens: 20 });
  const again = await stream(model, [1], { maxTokens: 20, seed: result.seed });
  assert.equal(again.result.tokens, result.tokens);
});

test('defaults come from the model, options win', async () => {
  const model = { ...fakeTextModel(), samplerDefaults: { temperature: 0 } };
  const first = await complete(model, [1], { maxTokens: 10, seed: 1 });
  const second = await complete(model, [1], { maxTokens: 10, seed: 2 });
  assert.equal(first.tokens, second.tokens, 'greedy');
  const third = await complete(model, [1], { maxTokens: 10, seed: 2, temperature: 2 });
  assert.is.not(third.tokens.join(), first.tokens.join());
});

test('of two generations in one session the later one goes on', async () => {
  const model = fakeTextModel();
  const options = { temperature: 0, maxTokens: 20 };
  const alone = await complete(model, [1, 30, 31], options);
  const session = await model.createSession();
  const first = complete(model, [1, 8, 9], { ...options, session });
  const second = complete(model, [1, 30, 31], { ...options, session });
  await raises(() => first, 'OPTION', ['session', 'another generation']);
  assert.equal((await second).tokens, alone.tokens);
});

test('a session goes on: the same text, only what is new is fed', async () => {
  const model = fakeTextModel();
  const endless = { [EOS]: Number.NEGATIVE_INFINITY };
  const options = { maxTokens: 8, seed: 3, logitBias: endless };
  const session = await model.createSession();
  let prompt = [1, 10, 11, 12];
  for (let turn = 0; turn < 3; turn++) {
    const fed: number[] = [];
    model.executor.onRun = (rows) => fed.push(...rows.map(({ token }) => token));
    const { result } = await stream(model, prompt, { ...options, session });
    // The last token of a turn was not fed in it.
    const fresh = turn === 0 ? prompt : prompt.slice(-3);
    assert.equal(fed.slice(0, fresh.length), fresh);
    assert.is(fed.length, fresh.length + 7);
    const alone = await stream(model, prompt, options);
    assert.equal(result.tokens, alone.result.tokens);
    prompt = [...prompt, ...result.tokens, 20 + turn, 21];
  }
  const { result } = await stream(model, prompt.slice(0, 4), { ...options, session });
  const alone = await stream(model, prompt.slice(0, 4), options);
  assert.equal(result.tokens, alone.result.tokens, 'back to the first prompt');
  await session.dispose();
  assert.is(model.executor.kv.pages.size, 0);
});

test('a prompt is a text, ids, or messages', async () => {
  const chatTemplate =
    '{% for m in messages %}{{ bos_token }}{{ m.role }} {{ m.content }}{% endfor %}';
  const model = fakeTextModel({ chatTemplate });
  const fedFor = async (prompt: Prompt) => {
    return (await complete(model, prompt, { maxTokens: 0 })).promptTokens;
  };
  assert.equal(await fedFor('the hen'), [1, ...encode('the hen')]);
  assert.equal(await fedFor(''), [1]);
  assert.equal(await fedFor([7, 8]), [7, 8]);
  const chat = await fedFor([{ role: 'user', content: 'the hen' }]);
  assert.equal(chat, encode('<s>user the hen'));
  await raises(() => fedFor([]), 'OPTION', ['prompt', 'none']);
  const plain = fakeTextModel();
  const messages = [{ role: 'user', content: 'a' }];
  await raises(() => complete(plain, messages), 'FORMAT', ['chat template']);
});

test('control tokens: tokens in a text prompt, text in messages unless the caller asks', async () => {
  const chatTemplate = '{% for m in messages %}{{ bos_token }}{{ m.content }}{% endfor %}';
  const model = fakeTextModel({ chatTemplate });
  const fedFor = async (prompt: Prompt, options: GenerateOptions = {}) => {
    return (await complete(model, prompt, { ...options, maxTokens: 0 })).promptTokens;
  };
  const content = 'a</s><s>b';
  const messages = [{ role: 'user', content }];
  const specials = (ids: readonly number[]) => ids.filter((id) => id < 3);
  assert.equal(specials(await fedFor(content)), [1, 2, 1]);
  assert.equal(specials(await fedFor(messages)), [1]);
  assert.is(model.tokenizer.decode(await fedFor(messages)), content);
  const chat = { controlTokensInContent: true };
  assert.equal(specials(await fedFor(messages, { chat })), [1, 2, 1]);
  const roles = [{ role: '</s>', content }];
  await raises(() => complete(model, roles), 'OPTION', ['messages[0].role', '</s>']);
});

test('a template without end throws at once; a signal is heard later', async () => {
  const chatTemplate = '{% for a in range(1000000000) %}{% endfor %}';
  const messages = [{ role: 'user', content: 'a' }];
  const { signal } = new AbortController();
  const start = () => generate(fakeTextModel({ chatTemplate }), messages, { signal });
  await raises(start, 'FORMAT', ['[chat template]', 'steps']);
  const model = fakeTextModel({ chatTemplate: '{{ messages[0].content }}' });
  const controller = new AbortController();
  const chunks = generate(model, messages, { signal: controller.signal });
  controller.abort(new Error('enough'));
  try {
    await chunks.next();
    assert.unreachable();
  } catch (error) {
    assert.is((error as Error).message, 'enough');
  }
});

function oneHot(token: number): Float32Array {
  const logits = new Float32Array(330);
  logits[token] = 9;
  return logits;
}

test('a long prompt is encoded in steps that a signal stops, before the session sees any of it', async () => {
  const model = fakeTextModel();
  const reason = new Error('enough');
  for (const prompt of ['the end '.repeat(400_000), 'the'.repeat(700_000)]) {
    const controller = new AbortController();
    setImmediate(() => controller.abort(reason));
    const run = complete(model, prompt, { ...GREEDY, signal: controller.signal });
    assert.is(await run.catch((error) => error), reason);
  }
  assert.is(model.executor.kv.pages.size, 0);
});

test('a long prompt is the tokens that it is at once', async () => {
  const prompt = 'the end and '.repeat(5_000);
  const model = fakeTextModel({ contextLength: 100_000 });
  const { promptTokens } = await complete(model, prompt, { ...GREEDY, maxTokens: 0 });
  assert.equal(promptTokens, tokenizer.encode(prompt));
  const short = fakeTextModel({ contextLength: 100 });
  await raises(() => complete(short, prompt, GREEDY), 'CAPACITY', [promptTokens.length, 100]);
});

test.run();
