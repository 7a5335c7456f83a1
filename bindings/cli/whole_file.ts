// A file that a command writes beside its results: under a temporary name until it is whole.

import { createFile, type FileSink, fileKind, remove, rename, resolvePath } from '#platform';
import { OptionError } from '../errors.js';
import type { Terminal } from './command.js';

export class WholeFile {
  readonly #path: string;
  readonly #temporary: string;
  readonly #sink: FileSink;
  #written = Promise.resolve();

  private constructor(path: string, temporary: string, sink: FileSink) {
    this.#path = path;
    this.#temporary = temporary;
    this.#sink = sink;
  }

  /**
   * @param option that names the file
   * @throws OptionError for a path that cannot be a file's, SourceError if it cannot be written
   */
  static async create(file: string, option: string): Promise<WholeFile> {
    if (file === '') throw new OptionError(`[${option}] expected a path, came an empty string`);
    const path = await resolvePath(file);
    if ((await fileKind(path)) === 'directory') {
      throw new OptionError(`[${option}] expected a file, came the directory ${file}`);
    }
    const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
    return new WholeFile(path, temporary, await createFile(temporary));
  }

  /** Appends text, while the caller goes on; a failure is kept for `finish`. */
  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.#written = this.#written.then(() => this.#sink.write(bytes));
    this.#written.catch(() => undefined);
  }

  /** Puts it in its place. @throws SourceError */
  async finish(): Promise<void> {
    await this.#written;
    await this.#sink.close();
    await rename(this.#temporary, this.#path);
  }

  /** Removes what `finish` has not put in place. */
  async discard(): Promise<void> {
    await this.#written.catch(() => undefined);
    await this.#sink.close().finally(() => remove(this.#temporary));
  }
}

/**
 * Runs `use` with a file to write, which is in its place when this resolves.
 * @param path null is given to `use` if there is none
 */
export async function withFile<T>(
  path: string | undefined,
  option: string,
  terminal: Terminal,
  use: (file: WholeFile | null) => Promise<T>,
): Promise<T> {
  if (path === undefined) return use(null);
  await terminal.holdSignals();
  const file = await WholeFile.create(path, option);
  try {
    const result = await use(file);
    await file.finish();
    return result;
  } catch (error) {
    // Why it failed matters more than what could not be cleared away.
    await file.discard().catch(() => undefined);
    throw error;
  }
}
