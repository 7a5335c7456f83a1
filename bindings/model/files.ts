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
  /** Stage `open`, in bytes: what is downloaded before weights can be read by range. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /** Replaces the global `fetch` for URLs. */
  readonly fetch?: FetchLike | undefined;
}

/** Files by path relative to one directory. */
export interface FileTree {
  /** For messages. */
  name(path: string): string;
  /** Null if there is no such file. */
  text(path: string): Promise<string | null>;
  open(path: string): Promise<ByteSource | null>;
}

export interface FoundFiles {
  readonly tree: FileTree;
  /** The one file that was meant, or null for the whole directory. */
  readonly file: string | null;
}
