// No option is dropped: a name that there is not is refused everywhere, with the one that was probably meant.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel, decompressModel, planCompression } from '../../bindings/compress/index.js';
import {
  inspectModel,
  loadModel,
  type Model,
  reportRuntime,
  Sampler,
} from '../../bindings/index.js';
import { nearestName, type OptionNames } from '../../bindings/options.js';
import * as client from '../../bindings/remote/client.js';
import { raises } from '../support/raises.js';
import { loadRemote } from '../support/remote_model.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ directory: string; here: Model; there: Model }>('option names');

test.before(async (context) => {
  context.directory = await writeTinyLlama(await mkdtemp(join(tmpdir(), 'halfbyte-options-')));
  context.here = await loadModel(context.directory, { threads: 1 });
  context.there = await loadRemote(context.directory);
});

test.after(async ({ directory, here, there }) => {
  await here.dispose();
  await there.dispose();
  await rm(directory, { recursive: true });
});

/** As JavaScript passes them: no type objects. */
const wrong = (options: Record<string, unknown>) => options as object;

/** Calls of a model, here and in a worker; what they refuse, and what they propose. */
const OF_MODELS: [string, (model: Model) => unknown, string[]][] = [
  [
    'generate',
    (model) => model.generate('a', wrong({ temprature: 0 })),
    ['[generate]', 'temprature', 'temperature?'],
  ],
  [
    'complete',
    (model) => model.complete('a', wrong({ max_tokens: 1 })),
    ['max_tokens', 'maxTokens?'],
  ],
  [
    'generate, nothing near',
    (model) => model.generate('a', wrong({ responseFormat: { type: 'json_object' } })),
    ['responseFormat', 'maxTokens, stop', 'temperature, topK', 'chat'],
  ],
  [
    'generate, undefined',
    (model) => model.generate('a', wrong({ topp: undefined })),
    ['topp', 'topP?'],
  ],
  ['chat', (model) => model.generate('a', { chat: wrong({ tool: [] }) }), ['[chat]', 'tools?']],
  [
    'createSession',
    (model) => model.createSession(wrong({ contextlenght: 5 })),
    ['contextlenght', 'contextLength?'],
  ],
  [
    'prefill',
    async (model) => (await model.createSession()).prefill([5], wrong({ onprogress: null })),
    ['onProgress?'],
  ],
  [
    'decode',
    async (model) => (await model.createSession()).decode(5, wrong({ signl: null })),
    ['signal?'],
  ],
  [
    'sample',
    async (model) =>
      (await model.createSession()).sample([5], new Sampler(), wrong({ temperature: 0 })),
    ['temperature', 'expected signal, onProgress'],
  ],
  [
    'logProbs',
    async (model) => (await model.createSession()).logProbs([5], wrong({ sginal: null })),
    ['signal?'],
  ],
];

for (const [name, call, parts] of OF_MODELS) {
  test(name, async ({ here, there }) => {
    await raises(() => call(here), 'OPTION', parts, 'here');
    await raises(() => call(there), 'OPTION', parts, 'in a worker');
    assert.is(here.kvBytesInUse, 0);
    assert.is(there.kvBytesInUse, 0);
  });
}

test('Sampler', () => raises(() => new Sampler(wrong({ topk: 4 })), 'OPTION', ['topK?']));

test('loadModel and inspectModel, here and on a page', async ({ directory }) => {
  for (const { loadModel: load, inspectModel: inspect } of [{ loadModel, inspectModel }, client]) {
    await raises(() => load(directory, wrong({ thread: 1 })), 'OPTION', ['[load]', 'threads?']);
    await raises(() => inspect(directory, wrong({ kv_cach: 1 })), 'OPTION', ['kvCache?']);
    const core = { core: wrong({ worker_: 'x' }) };
    await raises(() => load(directory, core), 'OPTION', ['[core]', 'worker?']);
    const wasm = { core: { wasm: wrong({ 'simd-shared': 'x' }) } };
    await raises(() => load(directory, wasm), 'OPTION', ['[core.wasm]', 'simd.shared?']);
  }
});

test('inspectModel takes all that loadModel takes', async ({ directory }) => {
  const options = { threads: 1, onProgress: () => {}, onTrace: () => {} };
  assert.ok((await inspectModel(directory, options)).parameters > 0);
});

test('reportRuntime, compressModel, planCompression, decompressModel', async ({ directory }) => {
  for (const report of [reportRuntime, client.reportRuntime]) {
    await raises(() => report(wrong({ cores: {} })), 'OPTION', ['[report]', 'core?']);
  }
  const compress = (options: object) => compressModel(directory, `${directory}-out`, options);
  await raises(() => compress({ sheme: 'int4' }), 'OPTION', ['[compress]', 'scheme?']);
  const plan = (options: object) => planCompression(directory, options);
  await raises(() => plan({ scheme: 'int4', froce: true }), 'OPTION', ['[compress]', 'froce']);
  await raises(() => plan({}), 'OPTION', ['either scheme or recipe']);
  const decompress = (options: object) => decompressModel(directory, `${directory}-out`, options);
  await raises(() => decompress({ dytpe: 'f16' }), 'OPTION', ['[decompress]', 'dtype?']);
});

test('what is no object', ({ directory }) =>
  raises(() => loadModel(directory, 4 as unknown as object), 'OPTION', ['[load]', 'object', 4]));

test('the nearest name, or none', () => {
  const known = ['temperature', 'topK', 'stop', 'maxTokens'];
  assert.is(nearestName('TEMPERATURE', known), 'temperature');
  assert.is(nearestName('top-k', known), 'topK');
  assert.is(nearestName('maxNewTokens', known), 'maxTokens');
  assert.is(nearestName('stream', known), null);
  assert.is(nearestName('n', known), null);
  assert.is(nearestName('', known), null);
});

interface Two {
  readonly a?: number;
  readonly b?: number;
}
// @ts-expect-error a list that forgets a name does not compile
export const forgetful: OptionNames<Two> = { a: true };
// @ts-expect-error nor one that has a name too many
export const talkative: OptionNames<Two> = { a: true, b: true, c: true };

test.run();
