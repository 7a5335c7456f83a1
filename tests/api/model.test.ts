// The public interface over a tiny model on disk, in the WebAssembly core.

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import type { ErrorCode } from '../../bindings/errors.js';
import { inspectModel, type LoadOptions, loadModel, type Model } from '../../bindings/index.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite('model');
const root = await mkdtemp(join(tmpdir(), 'halfbyte-api-'));
const path = await writeTinyLlama(join(root, 'float'));
const compressed = join(root, 'int4');
const GREEDY = { temperature: 0, maxTokens: 12 } as const;

test.after(() => rm(root, { recursive: true, force: true }));

async function withModel(
  options: LoadOptions,
  use: (model: Model) => Promise<void>,
  location = path,
): Promise<void> {
  const model = await loadModel(location, { threads: 1, ...options });
  try {
    await use(model);
  } finally {
    await model.dispose();
  }
}

test('reference and wasm generate the same text', async () => {
  const results: string[] = [];
  for (const device of ['reference', 'wasm', 'auto'] as const) {
    await withModel({ device }, async (model) => {
      const { tokens, text } = await model.complete('the hen and', GREEDY);
      results.push(`${tokens}: ${text}`);
      assert.is(model.runtime.device, device === 'auto' ? 'wasm' : device);
      assert.is(model.deterministic, device !== 'reference');
    });
  }
  assert.is(results[0], results[1]);
  assert.is(results[1], results[2]);
});

test('auto says why it is not the GPU', () =>
  withModel({ device: 'auto' }, async ({ runtime }) => {
    assert.match(runtime.refusals.join(), /webgpu/);
  }));

test('the KV cache is f32 for float checkpoints and f16 for compressed ones', async () => {
  await compressModel(path, compressed, { scheme: 'int4' });
  const bytes = async (location: string, kvCache?: 'f32' | 'f16') => {
    const { residentBytes } = await inspectModel(location, { kvCache, threads: 1 });
    return residentBytes.kvCache;
  };
  assert.is(await bytes(path), await bytes(path, 'f32'));
  assert.is(await bytes(compressed), await bytes(compressed, 'f16'));
  assert.ok((await bytes(compressed, 'f32')) > (await bytes(compressed, 'f16')));
});

test('inspect says what loading takes', () =>
  withModel({}, async (model) => {
    const inspection = await inspectModel(path, { threads: 1 });
    assert.equal(inspection.residentBytes, model.memory);
    assert.is(inspection.architecture, 'LlamaForCausalLM');
    assert.is(inspection.bitsPerWeight, 32);
    const count = inspection.tensors.reduce((sum, { shape }) => {
      return sum + shape.reduce((a, b) => a * b, 1);
    }, 0);
    assert.is(inspection.parameters, count);
    const embedding = inspection.tensors.find(({ name }) => name.includes('embed_tokens'));
    assert.is(embedding?.scheme, 'f32');
    assert.is(embedding?.bits, 32);
  }));

test('options are checked before anything is read', async () => {
  const cases: [LoadOptions, ErrorCode, ...string[]][] = [
    [{ device: 'gpu' as 'wasm' }, 'OPTION', 'device', 'wasm', 'came gpu'],
    [{ device: 'webgpu' }, 'UNSUPPORTED', 'webgpu'],
    [{ kvCache: 'f64' as 'f32' }, 'OPTION', 'kvCache', 'f32, f16, int8', 'came f64'],
    [{ simd: 'avx' as 'auto' }, 'OPTION', 'simd', 'came avx'],
    [{ threads: 0 }, 'OPTION', 'threads', 'came 0'],
    [{ threads: 1.5 }, 'OPTION', 'threads', 'came 1.5'],
    [{ kvCacheBytes: 0 }, 'OPTION', 'kvCacheBytes', 'came 0'],
    [{ kvCacheBytes: -5 }, 'OPTION', 'kvCacheBytes', 'came -5'],
  ];
  for (const [options, code, ...parts] of cases) {
    await raises(() => loadModel(join(root, 'nowhere'), options), code, ['[load]', ...parts]);
  }
  await raises(() => loadModel(join(root, 'nowhere')), 'SOURCE', ['nowhere']);
});

test('what is no location is refused by name', async () => {
  for (const location of ['', null, undefined, 5]) {
    await raises(() => loadModel(location as string), 'OPTION', ['location', String(location)]);
  }
});

test('a session holds at most what it was made for', () =>
  withModel({}, async (model) => {
    const most = model.config.contextLength;
    for (const contextLength of [0, -1, 1.5, most + 1, Number.NaN]) {
      const create = () => model.createSession({ contextLength });
      await raises(create, 'OPTION', ['contextLength', `1 to ${most}`, `came ${contextLength}`]);
    }
    const session = await model.createSession({ contextLength: 5 });
    assert.is((await session.prefill([1, 3, 4, 5])).length, model.config.vocabSize);
    await raises(() => session.prefill([6, 7]), 'CAPACITY', [6, 5]);
    await session.decode(6);
  }));

test('kvCacheBytes is shared by all sessions and comes back on dispose', async () => {
  const { residentBytes } = await inspectModel(path, { threads: 1 });
  const kvCacheBytes = Math.floor(residentBytes.kvCache * 1.5);
  const use = async (model: Model) => {
    const tokens = new Array(model.config.contextLength).fill(5);
    const first = await model.createSession();
    await first.prefill(tokens);
    const second = await model.createSession();
    await raises(() => second.prefill(tokens), 'CAPACITY', [`of kvCacheBytes ${kvCacheBytes}`]);
    assert.is(second.length, 0);
    const inUse = model.kvBytesInUse;
    assert.ok(inUse > 0 && inUse <= residentBytes.kvCache);
    await first.dispose();
    assert.is(model.kvBytesInUse, 0);
    await second.prefill(tokens);
    assert.is(model.kvBytesInUse, inUse);
  };
  await withModel({ kvCacheBytes }, use);
});

test('a session of another model is refused', () =>
  withModel({}, (one) =>
    withModel({}, async (other) => {
      const session = await other.createSession();
      const options = { ...GREEDY, session };
      await raises(() => one.complete('the', options), 'OPTION', ['session', 'this model']);
      await other.complete('the', options);
      await session.dispose();
      await raises(() => other.complete('the', options), 'DISPOSED', []);
    }),
  ));

test('texts generated at the same time do not disturb each other', () =>
  withModel({}, async (model) => {
    const prompts = ['the hen', 'a bird and', 'one'];
    const options = { maxTokens: 40, seed: 5, topP: 0.9 };
    const together = await Promise.all(prompts.map((prompt) => model.complete(prompt, options)));
    for (const [i, prompt] of prompts.entries()) {
      const alone = await model.complete(prompt, options);
      assert.equal(together[i]?.tokens, alone.tokens, prompt);
    }
  }));

test('fork, truncate and other chunks give the same bits', () =>
  withModel({}, async (model) => {
    const tokens = Array.from({ length: 90 }, (_, i) => 3 + ((i * 37) % 250));
    const session = await model.createSession();
    const expected = await session.prefill(tokens);
    const fork = await session.fork();
    for (const length of [89, 64, 40, 1]) {
      await fork.truncate(length);
      assert.equal(await fork.prefill(tokens.slice(length)), expected, `from ${length}`);
    }
    await session.truncate(50);
    for (const token of tokens.slice(50, -1)) await session.decode(token);
    assert.equal(await session.decode(tokens.at(-1)!), expected);
    const logProbs = await session.logProbs([9]);
    const largest = Math.max(...expected);
    const sum = expected.reduce((total, logit) => total + Math.exp(logit - largest), 0);
    assert.ok(Math.abs(logProbs[0]! - (expected[9]! - largest - Math.log(sum))) < 1e-12);
  }));

test('dispose: sessions and calls under way end, twice is allowed', async () => {
  const model = await loadModel(path, { threads: 2 });
  const session = await model.createSession();
  await session.prefill([1, 2, 3]);
  const underWay = raises(() => model.complete('the hen', { temperature: 0 }), 'DISPOSED', []);
  await new Promise((resolve) => setTimeout(resolve, 5));
  await Promise.all([model.dispose(), model.dispose()]);
  await underWay;
  assert.is(model.kvBytesInUse, 0);
  await raises(() => session.decode(1), 'DISPOSED', []);
  await raises(() => model.createSession(), 'DISPOSED', ['float']);
  await raises(() => model.generate('a'), 'DISPOSED', ['float']);
  await raises(() => model.complete('a'), 'DISPOSED', ['float']);
  await session.dispose();
  await model.dispose();
});

test('loading can be aborted', async () => {
  const reason = new Error('enough');
  const controller = new AbortController();
  const aborts = [
    { signal: AbortSignal.abort(reason) },
    { signal: controller.signal, onProgress: () => controller.abort(reason) },
  ];
  for (const options of aborts) {
    let caught: unknown;
    await loadModel(path, { threads: 1, ...options }).catch((error) => {
      caught = error;
    });
    assert.is(caught, reason);
  }
});

test('progress of loading reaches its total', async () => {
  const seen: { done: number; total: number }[] = [];
  await withModel({ onProgress: ({ done, total }) => seen.push({ done, total }) }, async () => {});
  assert.is(seen.at(-1)?.done, seen.at(-1)?.total);
  assert.ok(seen.length > 1);
});

test('generation_config.json sets the defaults', async () => {
  const greedy = await writeTinyLlama(join(root, 'greedy'));
  const file = { eos_token_id: 2, do_sample: false };
  await writeFile(join(greedy, 'generation_config.json'), JSON.stringify(file));
  await withModel(
    {},
    async (model) => {
      const first = await model.complete('the', { maxTokens: 12, seed: 1 });
      const second = await model.complete('the', GREEDY);
      assert.equal(first.tokens, second.tokens);
    },
    greedy,
  );
});

test('without a tokenizer there are sessions, but no text', async () => {
  const bare = await writeTinyLlama(join(root, 'bare'));
  await rm(join(bare, 'tokenizer.json'));
  await withModel(
    {},
    async (model) => {
      await (await model.createSession()).prefill([1, 2]);
      await raises(() => model.generate('a'), 'FORMAT', [bare, 'tokenizer.json', 'copy']);
    },
    bare,
  );
});

test.run();
