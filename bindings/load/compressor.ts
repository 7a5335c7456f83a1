// What makes weights smaller while they are loaded. It is handed in, so that a program which only generates does
// not carry it.

import type { Checkpoint } from '../model/checkpoint.js';
import type { Progress } from '../model/progress.js';

export interface CompressorOptions {
  readonly signal?: AbortSignal | undefined;
  /** Stage `compress`, in weights. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/** `compressor` of halfbyte/compress makes one. */
export interface Compressor {
  /**
   * The checkpoint with other weights, which are in memory; all else is its own. Both are to be closed.
   * @throws UnsupportedError for weights that are compressed already, FormatError for weights that are not finite,
   *   OptionError for a recipe that does not fit the model, `signal.reason` when aborted
   */
  compress(checkpoint: Checkpoint, options: CompressorOptions): Promise<Checkpoint>;
}

/** Runs `use` with the checkpoint, or with what is made of it while it is loaded. */
export async function withWeights<T>(
  checkpoint: Checkpoint,
  compressor: Compressor | undefined,
  options: CompressorOptions,
  use: (packed: Checkpoint) => Promise<T>,
): Promise<T> {
  if (!compressor) return use(checkpoint);
  const packed = await compressor.compress(checkpoint, options);
  try {
    return await use(packed);
  } finally {
    await packed.close();
  }
}
