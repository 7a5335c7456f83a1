// One model, wherever its files lie.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { type Checkpoint, openCheckpoint } from '../../bindings/model/checkpoint.js';
import type { ModelLocation } from '../../bindings/model/file_tree.js';
import type { FetchLike, SourceOptions } from '../../bindings/model/files.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const BASE = 'https://models.test/tiny';
const files = new Map<string, Uint8Array<ArrayBuffer>>();
let directory = '';

test.before(async () => {
  directory = await writeTinyLlama(await mkdtemp(join(tmpdir(), 'halfbyte-sources-')));
  for (const name of await readdir(directory)) {
    files.set(name, new Uint8Array(await readFile(join(directory, name))));
  }
});
test.after(() => rm(directory, { recursive: true }));

/** Every weight, as numbers. */
async function contents(location: ModelLocation, options: SourceOptions = {}): Promise<string> {
  const checkpoint: Checkpoint = await openCheckpoint(location, options);
  try {
    const rows: string[] = [];
    for (const [path, weight] of checkpoint.weights) {
      rows.push(`${path} ${(await readRows(weight, 0, weight.shape[0]!)).join()}`);
    }
    return rows.join('\n');
  } finally {
    await checkpoint.close();
  }
}

interface Server {
  readonly asked: string[];
  readonly fetch: FetchLike;
}

/** @param exposes whether a page of another origin sees Content-Range */
function server({ ranges = true, exposes = true, query = '' } = {}): Server {
  const asked: string[] = [];
  const fetch: FetchLike = async (url, { method = 'GET', headers, signal } = {}) => {
    signal?.throwIfAborted();
    const { pathname, search } = new URL(url);
    const range = new Headers(headers).get('range');
    asked.push(`${method} ${pathname} ${range ?? ''}`.trim());
    if (search !== query) return new Response(null, { status: 403, statusText: 'Forbidden' });
    const bytes = files.get(pathname.slice('/tiny/'.length));
    if (!bytes) return new Response(null, { status: 404 });
    const length = { 'content-length': String(bytes.length) };
    if (method === 'HEAD') return new Response(null, { headers: length });
    const [, from, to] = (ranges && /bytes=(\d+)-(\d+)/.exec(range ?? '')) || [];
    if (from === undefined) return new Response(bytes, { headers: length });
    const part = bytes.slice(Number(from), Number(to) + 1);
    const span = `bytes ${from}-${Number(from) + part.length - 1}/${bytes.length}`;
    return new Response(part, { status: 206, headers: exposes ? { 'content-range': span } : {} });
  };
  return { asked, fetch };
}

test('a file URL is the path', async () => {
  assert.is(await contents(pathToFileURL(directory)), await contents(directory));
  assert.is(await contents(pathToFileURL(directory).href), await contents(directory));
});

for (const [name, kind] of [
  ['with ranges', {}],
  ['with ranges whose size the page may not see', { exposes: false }],
  ['without ranges', { ranges: false }],
] as const) {
  test(`a URL, ${name}`, async () => {
    const { fetch, asked } = server(kind);
    assert.is(await contents(BASE, { fetch }), await contents(directory));
    assert.is(asked.filter((line) => line.includes('model.safetensors')).length <= 2, true);
  });
}

test('a URL of one file, with a query that goes to its neighbours too', async () => {
  const { fetch } = server({ query: '?key=1' });
  const url = `${BASE}/model.safetensors?key=1`;
  assert.is(await contents(url, { fetch }), await contents(directory));
  await raises(() => contents(BASE, { fetch }), 'SOURCE', [BASE, 403]);
});

test('a download tells its progress', async () => {
  const { fetch } = server({ ranges: false });
  const seen: number[] = [];
  const size = files.get('model.safetensors')!.length;
  await contents(BASE, {
    fetch,
    onProgress: ({ stage, done, total }) => {
      assert.is(stage, 'open');
      assert.is(total, size);
      seen.push(done);
    },
  });
  assert.is(seen.at(-1), size);
});

test('a URL where nothing is', async () => {
  const { fetch } = server();
  await raises(() => contents('https://models.test/tiny/other', { fetch }), 'SOURCE', [
    'other',
    'config.json',
  ]);
  const offline: FetchLike = async () => {
    throw new TypeError('no network');
  };
  await raises(() => contents(BASE, { fetch: offline }), 'SOURCE', [BASE, 'no network']);
});

test('a server that says less than it was asked for', async () => {
  const { fetch } = server();
  const short: FetchLike = async (url, init) => {
    const response = await fetch(url, init);
    if (response.status !== 206) return response;
    const part = (await response.arrayBuffer()).slice(1);
    return new Response(part, { status: 206, headers: response.headers });
  };
  await raises(() => contents(BASE, { fetch: short }), 'SOURCE', ['model.safetensors', 'came']);
});

test('an abort stays what it is', async () => {
  const { fetch } = server();
  const reason = new Error('enough');
  const controller = new AbortController();
  const stopping: FetchLike = (url, init) => {
    controller.abort(reason);
    return fetch(url, init);
  };
  const { signal } = controller;
  try {
    await contents(BASE, { fetch: stopping, signal });
    assert.unreachable();
  } catch (error) {
    assert.is(error, reason);
  }
});

test('Blobs and bytes by name, in a folder or not', async () => {
  const blobs = [...files].map(([name, bytes]) => [name, new Blob([bytes])] as const);
  assert.is(await contents(Object.fromEntries(blobs)), await contents(directory));
  const inFolder = [...files].map(([name, bytes]) => [`tiny/${name}`, bytes] as const);
  assert.is(await contents(Object.fromEntries(inFolder)), await contents(directory));
  await raises(() => contents({}), 'SOURCE', ['config.json', 'none']);
  await raises(() => contents({ 'config.json': 1 as unknown as Blob }), 'OPTION', ['config.json']);
});

test('bytes of a file without a config are no model', async () => {
  const bytes = files.get('model.safetensors')!;
  await raises(() => contents(bytes), 'FORMAT', ['no config']);
  await raises(() => contents(new Blob([bytes])), 'FORMAT', ['no config']);
  await raises(() => contents(new Uint8Array(0)), 'FORMAT', ['bytes']);
});

test.run();
