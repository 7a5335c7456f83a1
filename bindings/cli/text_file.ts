import { readFile } from 'node:fs/promises';
import { OptionError, SourceError } from '../errors.js';
import { decodeUtf8 } from '../model/utf8.js';

/**
 * A whole text.
 * @param option that names the file
 * @throws OptionError without a name, SourceError if it cannot be read, FormatError unless it is UTF-8
 */
export async function readTextFile(path: string, option: string): Promise<string> {
  if (path === '') throw new OptionError(`[${option}] expected a file, came ""`);
  const bytes = await readFile(path).catch((cause: Error) => {
    throw new SourceError(`[${path}] cannot be read: ${cause.message}`, { cause });
  });
  return decodeUtf8(bytes, path);
}

/**
 * All of stdin, without the line end that `echo` and editors put last.
 * @throws FormatError unless it is UTF-8; when aborted
 */
export async function readStdin(signal: AbortSignal): Promise<string> {
  // Loaded when there is something to read: most calls have their text.
  const [{ addAbortSignal }, { buffer }] = await Promise.all([
    import('node:stream'),
    import('node:stream/consumers'),
  ]);
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write('reading from the terminal; Ctrl-D ends the text\n');
  const bytes = await buffer(addAbortSignal(signal, stdin));
  return decodeUtf8(bytes, 'stdin').replace(/\r?\n$/, '');
}
