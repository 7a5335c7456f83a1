// Bytes by range, from memory and from Blobs.

import { DisposedError, FormatError, SourceError } from '../errors.js';
import type { ByteSource } from './weight.js';

/** Bytes in memory as a source; they are not copied. */
export function memorySource(name: string, bytes: Uint8Array): ByteSource {
  const size = bytes.length;
  let held: Uint8Array | null = bytes;
  return {
    name,
    size,
    async read(offset, into, signal) {
      signal?.throwIfAborted();
      if (!held) throw new DisposedError(`[${name}] is closed`);
      const end = offset + into.length;
      if (offset < 0 || end > size) {
        throw new FormatError(`[${name}] bytes ${offset} to ${end} expected, it has ${size}`);
      }
      into.set(held.subarray(offset, end));
    },
    async close() {
      held = null;
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
      if (bytes.byteLength !== into.length) {
        throw new SourceError(`[${name}] ${into.length} bytes expected, ${bytes.byteLength} came`);
      }
      into.set(new Uint8Array(bytes));
    },
    async close() {},
  };
}
