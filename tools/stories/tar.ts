// Reads one file out of a .tgz: a chain of records, each a header of 512 bytes and the file's bytes padded
// to 512 (name at 0, octal size at 124).

import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { FormatError } from '../../bindings/errors.js';

const RECORD = 512;

/**
 * Bytes of the file `name` in the archive at `path`.
 * @throws FormatError if it is not there or the archive ends within it
 */
export async function readTarFile(path: string, name: string): Promise<Uint8Array> {
  const stream = createReadStream(path).pipe(createGunzip());
  let rest: Uint8Array = new Uint8Array(0);
  let skip = 0;
  let file: Uint8Array | null = null;
  let filled = 0;
  for await (const chunk of stream as AsyncIterable<Uint8Array>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length > 0) {
      if (file !== null) {
        const part = rest.subarray(0, file.length - filled);
        file.set(part, filled);
        filled += part.length;
        if (filled === file.length) return file;
        rest = new Uint8Array(0);
      } else if (skip > 0) {
        const part = Math.min(skip, rest.length);
        skip -= part;
        rest = rest.subarray(part);
      } else {
        if (rest.length < RECORD) break;
        const header = parseHeader(rest.subarray(0, RECORD));
        rest = rest.subarray(RECORD);
        if (header.name === name) file = new Uint8Array(header.size);
        else skip = Math.ceil(header.size / RECORD) * RECORD;
      }
    }
  }
  const came = file === null ? 'is not there' : `ends after ${filled} of ${file.length} bytes`;
  throw new FormatError(`[${path}] ${name} ${came}`);
}

function parseHeader(record: Uint8Array): { name: string; size: number } {
  const field = (begin: number, end: number) => {
    const text = new TextDecoder('latin1').decode(record.subarray(begin, end));
    return text.split('\0')[0]!;
  };
  return { name: field(0, 100), size: Number.parseInt(field(124, 136).trim() || '0', 8) };
}
