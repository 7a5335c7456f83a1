// Files, on platforms that have none.

import { UnsupportedError } from '../errors.js';
import type { ByteSource } from './byte_source.js';

function noFiles(path: string): UnsupportedError {
  return new UnsupportedError(
    `[${path}] this runtime has no file system: expected a URL, Blob or bytes`,
  );
}

export async function openFile(path: string): Promise<ByteSource> {
  throw noFiles(path);
}

export async function fileKind(path: string): Promise<'file' | 'directory' | null> {
  throw noFiles(path);
}
