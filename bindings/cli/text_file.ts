import { readFile } from 'node:fs/promises';
import { FormatError, SourceError } from '../errors.js';

/**
 * A whole text.
 * @throws SourceError if it cannot be read, FormatError unless it is UTF-8
 */
export async function readTextFile(path: string): Promise<string> {
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new SourceError(`[${path}] cannot be read: ${cause.message}`, { cause });
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`[${path}] expected UTF-8 text, came other bytes`, { cause });
  }
}
