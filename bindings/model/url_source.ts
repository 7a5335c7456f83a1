// A file behind a URL. Servers that know ranges are read by blocks; from others a file is fetched whole.

import { FormatError, SourceError } from '../errors.js';
import { MAX_TEXT_BYTES, type SourceOptions } from './files.js';
import { bodyParts, readAtMost, readExactly } from './http_body.js';
import { request } from './http_request.js';
import {
  changed,
  checkRange,
  checkVersion,
  type FileVersion,
  fileVersion,
  ifRange,
  type Range,
  rangeHeader,
} from './http_version.js';
import { blobSource, memorySource } from './source.js';
import type { ByteSource } from './weight.js';

/** Bytes of one request: few requests for a large model, little memory for a small one. */
const BLOCK = 4 << 20;
/** Values, scales and biases of a tensor are read in turns, each from a block of its own. */
const BLOCKS_KEPT = 4;
/** Most bytes that are held until they are packed: as many as the memory of the core can have. */
const MAX_WHOLE = 2 ** 32;

/** A file that is read once, from front to back. */
export async function openUrlText(url: URL, options: SourceOptions): Promise<ByteSource | null> {
  const bytes = await request({ url }, options, (response) =>
    readAtMost(url, response, MAX_TEXT_BYTES),
  );
  return bytes && memorySource(url.href, bytes);
}

export async function openUrl(url: URL, options: SourceOptions): Promise<ByteSource | null> {
  const range = { begin: 0, end: BLOCK };
  const asked = { url, headers: rangeHeader(range) };
  const first = await request(asked, options, async (response) => {
    if (response.status === 416) return memorySource(url.href, new Uint8Array(0));
    if (response.status !== 206) return download(url, response, options);
    const version = fileVersion(response);
    const size = checkRange(url, range, response);
    const bytes =
      size === null
        ? await readAtMost(url, response, BLOCK)
        : await readExactly(url, response, Math.min(BLOCK, size));
    return { version, size, bytes };
  });
  if (first === null || 'read' in first) return first;
  const size = first.size ?? (await askSize(url, first.version, options));
  if (size === null) {
    return request({ url }, options, (response) => download(url, response, options));
  }
  const expected = Math.min(BLOCK, size);
  if (first.bytes.length === expected) return rangeSource(url, { ...first, size }, options);
  throw new SourceError(`[${url}] ${expected} bytes asked for, ${first.bytes.length} came`);
}

/** A page of another origin may not see Content-Range; Content-Length it always may. */
async function askSize(
  url: URL,
  version: FileVersion,
  options: SourceOptions,
): Promise<number | null> {
  return request({ url, method: 'HEAD' }, options, async (response) => {
    checkVersion(url, version, fileVersion(response));
    const length = response.headers.get('content-length');
    return length ? Number(length) : null;
  });
}

/** The whole file, with progress. It is held until the weights are packed. */
async function download(
  url: URL,
  response: Response,
  { onProgress }: SourceOptions,
): Promise<ByteSource> {
  const length = Number(response.headers.get('content-length') ?? 0);
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  for await (const part of bodyParts(url, response, MAX_WHOLE)) {
    parts.push(part);
    done += part.length;
    onProgress?.({ stage: 'open', done, total: Math.max(length, done) });
  }
  return blobSource(url.href, new Blob(parts));
}

interface FirstBlock {
  readonly version: FileVersion;
  /** Of the whole file. */
  readonly size: number;
  readonly bytes: Uint8Array;
}

function rangeSource(url: URL, first: FirstBlock, options: SourceOptions): ByteSource {
  const { version, size } = first;
  /** In order of use, oldest first. */
  const blocks = new Map([[0, first.bytes]]);
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
    const range = { begin, end: Math.min(begin + BLOCK, size) };
    const asked = { url, headers: { ...rangeHeader(range), ...ifRange(version) } };
    const bytes = await request(asked, { ...options, signal }, (response) =>
      readRange(url, response, range, { version, size }),
    );
    if (bytes) return bytes;
    throw changed(url, 'it is not there any more');
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

/** The bytes of that range, of the version that was opened. */
async function readRange(
  url: URL,
  response: Response,
  range: Range,
  opened: Omit<FirstBlock, 'bytes'>,
): Promise<Uint8Array> {
  checkVersion(url, opened.version, fileVersion(response));
  if (response.status !== 206) {
    throw changed(url, `a range of it asked for, HTTP ${response.status} came`);
  }
  const size = checkRange(url, range, response) ?? opened.size;
  if (size !== opened.size) throw changed(url, `${opened.size} bytes, now ${size}`);
  return readExactly(url, response, range.end - range.begin);
}
