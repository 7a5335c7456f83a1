// Bytes by range. Files come from the platform; this is memory.

import { DisposedError, FormatError } from '../errors.js';
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
