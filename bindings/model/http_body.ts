// The bytes of an answer. What is longer than it may be is cut, not held.

import { SourceError } from '../errors.js';
import { arriving, cutShort } from './http_request.js';

/** Exactly `length` bytes. */
export async function readExactly(
  url: URL,
  response: Response,
  length: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readAtMost(url, response, length);
  if (bytes.length === length) return bytes;
  throw cutShort(url, `${bytes.length} of ${length} bytes came`);
}

/** All bytes, of which there may be `most`. */
export async function readAtMost(
  url: URL,
  response: Response,
  most: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let length = 0;
  for await (const part of bodyParts(url, response, most)) {
    parts.push(part);
    length += part.length;
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The body as it comes. @throws SourceError once more than `most` bytes have come */
export async function* bodyParts(
  url: URL,
  response: Response,
  most: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  let length = 0;
  try {
    while (reader) {
      const { done, value } = await arriving(url, reader.read());
      if (done) break;
      length += value.length;
      if (length > most) {
        throw new SourceError(`[${url}] ${most} bytes expected, more than ${length - 1} came`);
      }
      yield value;
    }
  } finally {
    reader?.cancel().catch(() => undefined);
  }
  checkWhole(url, response, length);
}

/** An answer may end early and look complete. What a page of another origin cannot see is left to `fetch`. */
function checkWhole(url: URL, { headers, type }: Response, length: number): void {
  const claimed = headers.get('content-length');
  if (claimed === null || type === 'cors' || headers.has('content-encoding')) return;
  if (Number(claimed) > length) throw cutShort(url, `${length} of ${claimed} bytes came`);
}
