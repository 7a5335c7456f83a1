// A model behind URLs. Servers that know ranges are read by blocks; from others a file is fetched whole.

import { FormatError, SourceError } from '../errors.js';
import type { FetchInit, FileTree, FoundFiles, SourceOptions } from './files.js';
import { blobSource, memorySource } from './source.js';
import type { ByteSource } from './weight.js';

/** Bytes of one request: few requests for a large model, little memory for a small one. */
const BLOCK = 4 << 20;
/** Values, scales and biases of a tensor are read in turns, each from a block of its own. */
const BLOCKS_KEPT = 4;

/** The file that `url` names, or the directory, by whether its path ends in `.safetensors`. */
export function urlTree(url: URL, options: SourceOptions): FoundFiles {
  if (url.protocol === 'blob:' || url.protocol === 'data:') {
    return { tree: urlFiles(() => url, options), file: url.href.slice(0, 80) };
  }
  if (url.pathname.endsWith('.safetensors')) {
    return { tree: urlFiles(besideIn(url), options), file: url.pathname.split('/').at(-1)! };
  }
  const directory = new URL(url);
  if (!directory.pathname.endsWith('/')) directory.pathname += '/';
  return { tree: urlFiles(besideIn(directory), options), file: null };
}

/** URLs of files in the directory of `url`, with its query, which may carry a signature. */
function besideIn(url: URL): (path: string) => URL {
  return (path) => {
    const found = new URL(path, url);
    found.search = url.search;
    return found;
  };
}

function urlFiles(at: (path: string) => URL, options: SourceOptions): FileTree {
  return {
    name: (path) => at(path).href,
    async text(path) {
      const response = await request(at(path), {}, options);
      return response === null ? null : body(at(path), response.text(), options.signal);
    },
    open: (path) => openUrl(at(path), options),
  };
}

async function openUrl(url: URL, options: SourceOptions): Promise<ByteSource | null> {
  const response = await request(url, { Range: `bytes=0-${BLOCK - 1}` }, options);
  if (response === null) return null;
  const name = url.href;
  if (response.status === 416) return memorySource(name, new Uint8Array(0));
  if (response.status !== 206) return blobSource(name, await download(url, response, options));
  const first = await body(url, response.arrayBuffer(), options.signal);
  const size = await wholeSize(url, response, options);
  if (size === null) {
    const all = await request(url, {}, options);
    return all && blobSource(name, await download(url, all, options));
  }
  if (first.byteLength !== Math.min(BLOCK, size)) {
    throw new SourceError(
      `[${name}] ${Math.min(BLOCK, size)} bytes asked for, ${first.byteLength} came`,
    );
  }
  return rangeSource(url, size, new Uint8Array(first), options);
}

/** A page of another origin may not see Content-Range; Content-Length it always may. */
async function wholeSize(
  url: URL,
  response: Response,
  options: SourceOptions,
): Promise<number | null> {
  const range = /\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  if (range) return Number(range[1]);
  const head = await request(url, {}, options, 'HEAD');
  const length = head?.headers.get('content-length');
  return length ? Number(length) : null;
}

function rangeSource(
  url: URL,
  size: number,
  first: Uint8Array,
  options: SourceOptions,
): ByteSource {
  /** In order of use, oldest first. */
  const blocks = new Map([[0, first]]);
  const name = url.href;

  async function block(index: number, signal?: AbortSignal): Promise<Uint8Array> {
    const bytes = blocks.get(index) ?? (await fetchBlock(index, signal));
    blocks.delete(index);
    blocks.set(index, bytes);
    for (const old of blocks.keys()) {
      if (blocks.size <= BLOCKS_KEPT) break;
      blocks.delete(old);
    }
    return bytes;
  }

  async function fetchBlock(index: number, signal?: AbortSignal): Promise<Uint8Array> {
    const begin = index * BLOCK;
    const end = Math.min(begin + BLOCK, size);
    const range = { Range: `bytes=${begin}-${end - 1}` };
    const response = await request(url, range, { ...options, signal });
    const bytes = response && (await body(url, response.arrayBuffer(), signal));
    if (response?.status === 206 && bytes?.byteLength === end - begin) return new Uint8Array(bytes);
    throw new SourceError(
      `[${name}] bytes ${begin} to ${end} asked for; HTTP ${response?.status ?? 404}, ${bytes?.byteLength ?? 0} bytes came`,
    );
  }

  return {
    name,
    size,
    async read(offset, into, signal) {
      signal?.throwIfAborted();
      const end = offset + into.length;
      if (offset < 0 || end > size) {
        throw new FormatError(`[${name}] bytes ${offset} to ${end} expected, it has ${size}`);
      }
      for (let at = offset; at < end; ) {
        const index = Math.floor(at / BLOCK);
        const bytes = await block(index, signal);
        const piece = bytes.subarray(at - index * BLOCK, end - index * BLOCK);
        into.set(piece, at - offset);
        at += piece.length;
      }
    },
    async close() {
      blocks.clear();
    },
  };
}

/** The whole file, with progress. It is held until the weights are packed. */
async function download(
  url: URL,
  response: Response,
  { signal, onProgress }: SourceOptions,
): Promise<Blob> {
  if (!response.body || !onProgress) return body(url, response.blob(), signal);
  const length = Number(response.headers.get('content-length') ?? 0);
  const reader = response.body.getReader();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (let done = 0; ; ) {
    const next = await body(url, reader.read(), signal);
    if (next.done) return new Blob(parts);
    parts.push(next.value);
    done += next.value.length;
    onProgress({ stage: 'open', done, total: Math.max(length, done) });
  }
}

/** Null: nothing is there. A page instead of a file is what some servers answer with for that. */
async function request(
  url: URL,
  headers: Record<string, string>,
  { fetch: ask = fetch, signal }: SourceOptions,
  method = 'GET',
): Promise<Response | null> {
  const init: FetchInit = { method, headers, ...(signal && { signal }) };
  const response = await body(url, ask(url.href, init), signal);
  const isPage = response.headers.get('content-type')?.startsWith('text/html') ?? false;
  if (response.ok && !isPage) return response;
  if (response.status === 416) return response;
  await response.body?.cancel().catch(() => undefined);
  if (response.status === 404 || (response.ok && isPage)) return null;
  throw new SourceError(`[${url.href}] HTTP ${response.status} ${response.statusText}`.trimEnd());
}

/** Names what fails on the way; an abort stays itself. */
async function body<T>(url: URL, work: Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    signal?.throwIfAborted();
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new SourceError(`[${url.href}] cannot be fetched: ${reason}`, { cause });
  }
}
