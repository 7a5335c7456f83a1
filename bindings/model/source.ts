// Bytes by range, from memory and from Blobs.

import { DisposedError, FormatError, SourceError } from '../errors.js';
import type { ByteSource } from './weight.js';

/** Bytes in memory as a source; they are not copied. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  let open = true;
  return {
    name,
    size: bytes.length,
    async read(offset, into, signal) {
      signal?.throwIfAborted();
      if (!open) throw new DisposedError(`[${name}] is closed`);
      const end = offset + into.length;
      if (offset < 0 || end > bytes.length) {
        const wanted = `bytes ${offset} to ${end} expected`;
        throw new FormatError(`[${name}] ${wanted}, it has ${bytes.length}`);
      }
      into.set(bytes.subarray(offset, end));
    },
    async close() {
      open = false;
    },
  };
}

/** A Blob or File as a source, read by slices. */
export function blobSource(name: string, blob: Blob): ByteSource {
  return {
    name,
    size: blob.size,
    async read(offset, into, signal) {
      signal?.throwIfAborted();
      const end = offset + into.length;
      if (offset < 0 || end > blob.size) {
        throw new FormatError(`[${name}] bytes ${offset} to ${end} expected, it has ${blob.size}`);
      }
      const bytes = await blob
        .slice(offset, end)
        .arrayBuffer()
        .catch((cause) => {
          throw new SourceError(`[${name}] cannot be read: ${cause}`, { cause });
        });
      signal?.throwIfAborted();
      into.set(new Uint8Array(bytes));
    },
    async close() {},
  };
}
