// Texts of a model come as UTF-8 or not at all: a character that was replaced is another token.

import { FormatError } from '../errors.js';

/**
 * A byte order mark is left out.
 * @param name of the file, for messages
 * @throws FormatError for bytes that are no UTF-8
 */
export function decodeUtf8(bytes: Uint8Array, name: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new FormatError(`[${name}] expected UTF-8 text, came other bytes`, { cause });
  }
}
