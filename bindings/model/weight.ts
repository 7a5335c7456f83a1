// A weight as the plan sees it: one name, one shape, one format, and where its bytes lie.

import type { WeightFormat } from '../formats.js';

/** Bytes that can be read by range: a file, a URL, a Blob or memory. */
export interface ByteSource {
  /** For messages: a path or URL. */
  readonly name: string;
  /** Length in bytes. */
  readonly size: number;
  /**
   * Fills `into` with the bytes that start at `offset`.
   * @throws SourceError if they cannot be read, FormatError if the source ends before.
   */
  read(offset: number, into: Uint8Array, signal?: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

/** One stored tensor: row-major bytes [offset, offset + bytes) of `source`. */
export interface Part {
  readonly name: string;
  readonly source: ByteSource;
  readonly offset: number;
  readonly bytes: number;
}

/** A weight matrix [n, k], or a vector [n]. */
export interface Weight {
  /** Path without the `.weight` suffix: `model.layers.0.mlp.up_proj`. */
  readonly path: string;
  readonly shape: readonly number[];
  readonly format: WeightFormat;
  /** Row-major values: floats [n, k], or packed q [n, paddedK(k) * bits / 8] bytes. */
  readonly values: Part;
  /** Linear formats: [n, paddedK(k) / 32] scales. */
  readonly scales?: Part;
  /** Linear formats that are not symmetric: [n, paddedK(k) / 32] biases. */
  readonly biases?: Part;
}
