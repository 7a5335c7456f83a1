// One model, wherever its files lie.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
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
import { safetensorsBytes, writeTinyLlama } from '../support/tiny_model.js';

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
function server({ ranges = true, exposes = true, query = '', served = files } = {}): Server {
  const asked: string[] = [];
  const fetch: FetchLike = async (url, { method = 'GET', headers, signal } = {}) => {
    signal?.throwIfAborted();
    const { pathname, search } = new URL(url);
    const range = new Headers(headers).get('range');
    asked.push(`${method} ${pathname} ${range ?? ''}`.trim());
    if (search !== query) return new Response(null, { status: 403, statusText: 'Forbidden' });
    const bytes = served.get(pathname.slice('/tiny/'.length));
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

test('a shard index sends nobody elsewhere', async () => {
  const asked: string[] = [];
  const index = { weight_map: { 'model.norm.weight': 'http:evil.example:8080?.safetensors' } };
  const fetch: FetchLike = async (url) => {
    asked.push(url);
    const name = new URL(url).pathname.slice('/tiny/'.length);
    if (name === 'model.safetensors') return new Response(null, { status: 404 });
    if (name.endsWith('.index.json')) return new Response(JSON.stringify(index));
    return new Response(files.get(name) ?? null, { status: files.has(name) ? 200 : 404 });
  };
  await raises(() => contents(`${BASE}?key=1`, { fetch }), 'FORMAT', ['evil.example', 'beside']);
  assert.ok(asked.every((url) => url.startsWith(`${BASE}/`) && url.endsWith('?key=1')));
});

test('the query stays in the URL of a file whose name is written with escapes', async () => {
  const asked: string[] = [];
  const fetch: FetchLike = async (url) => {
    asked.push(url);
    return new Response(null, { status: 404 });
  };
  const url = `${BASE}/a%20b+c.safetensors?key=1`;
  await raises(() => contents(url, { fetch }), 'SOURCE', ['a%20b+c', 'no such file']);
  assert.equal(asked, [url]);
});

/** The files, one of them with a byte that no UTF-8 has. */
function damagedText(name: string): Map<string, Uint8Array<ArrayBuffer>> {
  const bytes = files.get(name)!.slice();
  bytes[bytes.lastIndexOf(0x22) - 1] = 0xff;
  return new Map(files).set(name, bytes);
}

for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json'] as const) {
  test(`${name} that is no UTF-8 is refused, wherever it lies`, async () => {
    const damaged = damagedText(name);
    const refused = (location: ModelLocation, options?: SourceOptions) =>
      raises(() => contents(location, options), 'FORMAT', [name, 'UTF-8']);
    await refused(Object.fromEntries(damaged));
    await refused(
      Object.fromEntries([...damaged].map(([file, bytes]) => [file, new Blob([bytes])])),
    );
    const path = join(directory, 'damaged');
    await mkdir(path);
    for (const [file, bytes] of damaged) await writeFile(join(path, file), bytes);
    await refused(path);
    await refused(pathToFileURL(path));
    await rm(path, { recursive: true });
    await refused(BASE, { fetch: server({ served: damaged }).fetch });
    await refused(BASE, { fetch: server({ served: damaged, ranges: false }).fetch });
  });
}

test('texts in the metadata of a file that is no UTF-8', async () => {
  const metadata = { config: JSON.stringify({ model_type: 'llama' }) };
  const file = safetensorsBytes([], metadata) as Uint8Array<ArrayBuffer>;
  file[file.lastIndexOf(0x6c)] = 0xff;
  await raises(() => contents(file), 'FORMAT', ['bytes: header', 'UTF-8']);
  await raises(() => contents(new Blob([file])), 'FORMAT', ['blob: header', 'UTF-8']);
});

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
