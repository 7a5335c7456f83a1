// Options of loading a model and of its sessions, and what can be told of them before anything is opened.

import { OptionError, show } from '../errors.js';
import { CREATE_OPTIONS, type CreateOptions, checkOptions } from '../executor/select.js';
import type { FetchLike } from '../model/files.js';
import { checkOptionNames, type OptionNames } from '../options.js';
import type { Compressor } from './compressor.js';

export interface LoadOptions extends CreateOptions {
  /** Aborting throws `signal.reason` and frees what was loaded. */
  readonly signal?: AbortSignal | undefined;
  /** Replaces the global `fetch` for models behind URLs. */
  readonly fetch?: FetchLike | undefined;
  /**
   * `compressor({ scheme: 'int4' })` of halfbyte/compress: the model is what `compressModel` would have written. In
   * Node, Deno and Bun.
   */
  readonly compress?: Compressor | undefined;
}

export interface SessionOptions {
  /** Most tokens the session may hold; default and maximum: the model's context. */
  readonly contextLength?: number | undefined;
}

const LOAD_OPTIONS: OptionNames<LoadOptions> = {
  ...CREATE_OPTIONS,
  fetch: true,
  compress: true,
};
const SESSION_OPTIONS: OptionNames<SessionOptions> = { contextLength: true };

/** Checks what can be checked before anything is opened. @throws OptionError, UnsupportedError */
export function checkLoadOptions(options: LoadOptions, where = 'load'): void {
  checkOptionNames(where, options, LOAD_OPTIONS);
  checkOptions(options);
  const { compress } = options;
  if (compress !== undefined && typeof compress?.compress !== 'function') {
    const expected = 'expected what compressor() of halfbyte/compress returns';
    throw new OptionError(`[${where}] compress: ${expected}, came ${show(compress)}`);
  }
}

/** @throws OptionError for a name that there is not */
export function checkSessionOptions(options: SessionOptions): void {
  checkOptionNames('session', options, SESSION_OPTIONS);
}
