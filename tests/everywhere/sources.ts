// Where a model may come from: files in memory, URLs with ranges and without, through any fetch.

import { loadModel, type Progress } from 'halfbyte';
import * as assert from 'uvu/assert';
import { tinyTokenizer, tinyTokenizerConfig } from '../support/tiny_tokenizer.js';
import { safetensorsBytes } from '../support/tiny_weights.js';
import { test } from './support/collect.js';
import { PROMPT, rejects, sameBits, thrownBy } from './support/fixtures.js';
import { fileBytes, modelBytes, modelFile } from './support/models.js';

const URL_OF_MODEL = 'https://models.invalid/model.safetensors';

type Location = Parameters<typeof loadModel>[0];
type Options = Parameters<typeof loadModel>[1];
type Fetch = NonNullable<NonNullable<Options>['fetch']>;

async function logitsOf(location: Location, options: Options = {}): Promise<Float32Array> {
  const model = await loadModel(location, { threads: 1, ...options });
  const session = await model.createSession();
  const logits = await session.prefill(PROMPT.slice(0, 20));
  await model.dispose();
  return logits;
}

/** Answers as a server of one file does; `asked` gets the ranges. */
function serve(bytes: Uint8Array, asked: string[], knowsRanges: boolean): Fetch {
  return async (_, init) => {
    const range = new Headers(init?.headers).get('range');
    const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
    if (!knowsRanges || from === undefined) return new Response(bytes.slice());
    asked.push(range ?? '');
    const end = Math.min(Number(to) + 1, bytes.length);
    const headers = { 'Content-Range': `bytes ${from}-${end - 1}/${bytes.length}` };
    return new Response(bytes.slice(Number(from), end), { status: 206, headers });
  };
}

test('a directory of Blobs and bytes', async () => {
  const { config, tensors } = modelFile('int8');
  const json = (value: unknown) => new Blob([JSON.stringify(value)]);
  const files = {
    'config.json': json(config),
    'tokenizer.json': json(tinyTokenizer(300)),
    'tokenizer_config.json': json(tinyTokenizerConfig()),
    'model.safetensors': safetensorsBytes(tensors),
  };
  sameBits(await logitsOf(files), await logitsOf(modelBytes('int8')), 'directory');
});

test('a URL: by ranges where the server knows them', async () => {
  // More than one range long.
  const bytes = fileBytes(modelFile('float', { numLayers: 30 }));
  const expected = await logitsOf(bytes);
  const asked: string[] = [];
  const fetch = serve(bytes, asked, true);
  sameBits(await logitsOf(URL_OF_MODEL, { fetch }), expected, 'ranges');
  assert.ok(asked.length > 1, asked.join(', '));
  sameBits(await logitsOf(new URL(URL_OF_MODEL), { fetch: serve(bytes, [], false) }), expected, '');
});

test('a URL: bytes that were not asked for, and bytes without end', async () => {
  const bytes = modelBytes('int4');
  const late: Fetch = async () => {
    const headers = { 'Content-Range': `bytes 1-${bytes.length - 1}/${bytes.length}` };
    return new Response(bytes.slice(1), { status: 206, headers });
  };
  await rejects(() => loadModel(URL_OF_MODEL, { fetch: late }), 'SOURCE', 'bytes 1-');
  let pulled = 0;
  const endless: Fetch = async () => {
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (++pulled > 64) controller.close();
        else controller.enqueue(new Uint8Array(1 << 20));
      },
    });
    const headers = { 'Content-Range': `bytes 0-${(4 << 20) - 1}/${9 << 20}` };
    return new Response(body, { status: 206, headers });
  };
  await rejects(() => loadModel(URL_OF_MODEL, { fetch: endless }), 'SOURCE', 'more than');
  assert.ok(pulled < 10, `${pulled} MiB were read`);
});

test('a URL: progress, errors and stopping', async () => {
  const seen: Progress[] = [];
  const onProgress = (progress: Progress) => seen.push(progress);
  await logitsOf(URL_OF_MODEL, { fetch: serve(modelBytes('int4'), [], false), onProgress });
  assert.ok(seen.some(({ stage }) => stage === 'open'));
  assert.ok(seen.some(({ stage }) => stage === 'weights'));
  const missing = async () => new Response('no', { status: 404 });
  await rejects(() => loadModel(URL_OF_MODEL, { fetch: missing }), 'SOURCE', URL_OF_MODEL);
  const headers = { 'Retry-After': '0' };
  const broken = async () => new Response('no', { status: 503, headers });
  await rejects(() => loadModel(URL_OF_MODEL, { fetch: broken }), 'SOURCE', '503');
  const controller = new AbortController();
  const reason = new Error('enough');
  const hanging: Fetch = (_, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      controller.abort(reason);
    });
  const { signal } = controller;
  const error = await thrownBy(() => loadModel(URL_OF_MODEL, { fetch: hanging, signal }));
  assert.is(error, reason);
});
