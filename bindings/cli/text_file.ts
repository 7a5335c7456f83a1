import { readFile } from 'node:fs/promises';
import { SourceError } from '../errors.js';
import { decodeUtf8 } from '../model/utf8.js';

/**
 * A whole text.
 * @throws SourceError if it cannot be read, FormatError unless it is UTF-8
 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new SourceError(`[${path}] cannot be read: ${cause.message}`, { cause });
  });
  return decodeUtf8(bytes, path);
}
