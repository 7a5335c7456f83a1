// The two ends of a model in a worker, joined by a channel instead of one.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { DisposedError } from '../../bindings/errors.js';
import { type LoadOptions, loadModel as loadHere, type Model } from '../../bindings/load.js';
import type { FetchLike } from '../../bindings/model/files.js';
import { Sampler } from '../../bindings/sampler/sampler.js';
import type { ChatOptions } from '../../bindings/text/chat_template.js';
import { raises } from '../support/raises.js';
import { fetchFile, loadRemote } from '../support/remote_model.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const MIB = 1 << 20;
let directory = '';
test.before(async () => {
  directory = await writeTinyLlama(await mkdtemp(join(tmpdir(), 'halfbyte-remote-')));
});
test.after(() => rm(directory, { recursive: true }));

const load = (options: LoadOptions = {}) => loadRemote(directory, options);

async function withModel(run: (model: Model) => Promise<void>): Promise<void> {
  const model = await load();
  try {
    await run(model);
  } finally {
    await model.dispose();
  }
}

test('says what a model here says', () =>
  withModel(async (model) => {
    const here = await loadHere(directory, { threads: 1 });
    assert.equal(model.config, here.config);
    assert.equal(model.runtime, here.runtime);
    assert.equal(model.memory, here.memory);
    const text = 'the cat';
    assert.equal(model.tokenizer.encode(text), here.tokenizer.encode(text));
    const options = { maxTokens: 12, temperature: 1, seed: 3 };
    const there = await model.complete([5, 6, 7], options);
    const same = await here.complete([5, 6, 7], options);
    assert.equal(there.tokens, same.tokens);
    assert.is(there.text, same.text);
    assert.is(there.seed, 3);
    await here.dispose();
  }));

test('options of the chat template come across', async () => {
  await writeFile(
    join(directory, 'chat_template.jinja'),
    '{{ bos_token }}{{ messages[0].content }}',
  );
  await withModel(async (model) => {
    const promptFor = async (chat: ChatOptions) => {
      const messages = [{ role: 'user', content: 'the</s>' }];
      return (await model.complete(messages, { chat, maxTokens: 0 })).promptTokens;
    };
    const controls = (ids: readonly number[]) => ids.filter((id) => id < 3);
    assert.equal(controls(await promptFor({})), [1]);
    assert.equal(controls(await promptFor({ controlTokensInContent: true })), [1, 2]);
  });
});

test('sessions: tokens are known on the page, logits come across', () =>
  withModel(async (model) => {
    const here = await loadHere(directory, { threads: 1 });
    const local = await here.createSession();
    const session = await model.createSession({ contextLength: 40 });
    assert.is(session.contextLength, 40);
    assert.equal(await session.prefill([5, 6, 7]), await local.prefill([5, 6, 7]));
    assert.equal(session.tokens, [5, 6, 7]);
    assert.ok(model.kvBytesInUse > 0);
    const branch = await session.fork();
    await branch.truncate(1);
    assert.equal([branch.tokens, session.length], [[5], 3]);
    const sampler = () => new Sampler({ seed: 4 });
    assert.is(await session.sample([8], sampler()), await local.sample([8], sampler()));
    await local.truncate(1);
    assert.equal(await branch.logProbs([6, 7]), await local.logProbs([6, 7]));
    await branch.dispose();
    await branch.dispose();
    await raises(() => branch.prefill([1]), 'DISPOSED', []);
    await session.dispose();
    assert.is(model.kvBytesInUse, 0);
    await here.dispose();
  }));

test('a twin of a sampler goes on drawing', () =>
  withModel(async (model) => {
    const draw = async (): Promise<number[]> => {
      const sampler = new Sampler({ seed: 9 });
      const session = await model.createSession();
      const tokens = [await session.sample([5], sampler)];
      while (tokens.length < 8) tokens.push(await session.sample(tokens.slice(-1), sampler));
      await session.dispose();
      return tokens;
    };
    const first = await draw();
    assert.equal(await draw(), first);
    assert.ok(new Set(first).size > 1);
  }));

test('errors keep their class, code and message', () =>
  withModel(async (model) => {
    await raises(() => model.generate('x', { temperature: -1 }), 'OPTION', ['temperature']);
    await raises(() => model.createSession({ contextLength: 0 }), 'OPTION', ['contextLength']);
    const session = await model.createSession({ contextLength: 4 });
    await raises(() => session.prefill([1, 2, 3, 4, 5]), 'CAPACITY', [5, 4]);
    await raises(() => load({ threads: 0 }), 'OPTION', ['threads']);
  }));

test('aborting: the reason is the same object, the session as before', () =>
  withModel(async (model) => {
    const session = await model.createSession();
    await session.prefill([5]);
    const controller = new AbortController();
    const reason = { why: 'enough' };
    const stop = { signal: controller.signal, onProgress: () => controller.abort(reason) };
    const error = await session.prefill([5, 6], stop).catch((thrown) => thrown);
    assert.is(error, reason);
    assert.equal(session.tokens, [5]);
    const { signal } = controller;
    assert.is(await model.complete([5], { signal }).catch((thrown) => thrown), reason);
  }));

test('a generation that is left early returns its pages', () =>
  withModel(async (model) => {
    for await (const _ of model.generate([5, 6], { maxTokens: 50 })) break;
    assert.is(model.kvBytesInUse, 0);
  }));

test('dispose ends what is under way, and all after it', async () => {
  const model = await load();
  const session = await model.createSession();
  const running = model.complete([5], { maxTokens: 90 }).catch((error) => error);
  await model.dispose();
  await model.dispose();
  assert.instance(await running, DisposedError);
  await session.dispose();
  await raises(() => model.generate('x'), 'DISPOSED', []);
});

test('traces come before the result of the step', async () => {
  const rows: number[] = [];
  const model = await load({ onTrace: ({ positions }) => rows.push(positions.length) });
  const session = await model.createSession();
  await session.prefill([5, 6, 7]);
  assert.equal(rows, [3]);
  await session.decode(8);
  assert.equal(rows, [3, 1]);
  await model.dispose();
});

test('what the page fetches crosses as it is wanted, and no further', async () => {
  let pulled = 0;
  let cancelled = false;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled += 1 << 20;
      if (pulled > 1 << 28) controller.close();
      else controller.enqueue(new Uint8Array(1 << 20));
    },
    cancel() {
      cancelled = true;
    },
  });
  const fetch: FetchLike = async (url, init) => {
    const isRange = new Headers(init?.headers).has('range');
    if (!isRange) return fetchFile(directory, url);
    const headers = { 'content-range': `bytes 0-${4 * MIB - 1}/${9 * MIB}` };
    return new Response(endless, { status: 206, headers });
  };
  await raises(() => load({ fetch }), 'SOURCE', ['model.safetensors', 4 * MIB, 'more than']);
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.ok(pulled < 8 * MIB, `${pulled} bytes were read`);
  assert.ok(cancelled);
});

test('the page fetches what was cut again', async () => {
  const urls: string[] = [];
  const fetch: FetchLike = async (url) => {
    const again = urls.includes(url);
    urls.push(url);
    if (again) return fetchFile(directory, url);
    const whole = (await fetchFile(directory, url)).body?.getReader();
    return new Response(
      new ReadableStream<Uint8Array>({
        async pull(controller) {
          const next = await whole?.read();
          if (next?.value) controller.enqueue(next.value.subarray(0, 10));
          controller.error(new Error('cut'));
        },
      }),
    );
  };
  await (await load({ fetch })).dispose();
});

test('an abort ends loading at once', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const stop = { signal, onProgress: () => controller.abort('enough') };
  assert.is(await load(stop).catch((error) => error), 'enough');
});

test.run();
