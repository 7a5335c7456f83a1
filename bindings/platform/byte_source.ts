// What every platform opens a checkpoint as.

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
  /** Where it may change unseen. @throws SourceError if it is no longer what was opened */
  checkUnchanged?(): Promise<void>;
  close(): Promise<void>;
}
