// What reading a model's files is made of.

import type { Progress } from './progress.js';
import type { ByteSource } from './weight.js';

/** What halfbyte needs of `fetch`. */
export type FetchLike = (url: string, init?: FetchInit) => Promise<Response>;

/** What halfbyte asks of `fetch`. */
export interface FetchInit {
  method?: string;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface SourceOptions {
  readonly signal?: AbortSignal | undefined;
  /**
   * Stage `open`, in bytes: what is downloaded before weights can be read by range; from the start again where a
   * connection was cut.
   */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Replaces the global `fetch` for URLs. */
  readonly fetch?: FetchLike | undefined;
}

/** Most bytes of a text; tokenizers of the largest vocabularies have 40e6. */
export const MAX_TEXT_BYTES = 1 << 27;

/** By range, many times; or from front to back, once: a text of at most MAX_TEXT_BYTES. */
export type Reading = 'ranges' | 'text';

/** Files by name, all in one directory. */
export interface FileTree {
  /** For messages. */
  name(file: string): string;
  /** Null if there is no such file. */
  open(file: string, reading: Reading): Promise<ByteSource | null>;
}

export interface FoundFiles {
  readonly tree: FileTree;
  /** The one file that was meant, or null for the whole directory. */
  readonly file: string | null;
}
