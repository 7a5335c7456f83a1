// Compressing while a model is loaded: what `compressModel` would write is written to memory, and read from there,
// so that the model is the same to the bit.

import type { FileSink } from '#platform';
import type { Compressor } from '../load/compressor.js';
import { openCheckpoint } from '../model/checkpoint.js';
import { checkOptionNames, type OptionNames } from '../options.js';
import { chooseRecipe, compressed, type RecipeChoice } from './compress.js';
import type { Threads } from './fit_ahead.js';
import { writeWeights } from './write_weights.js';

export interface CompressorChoice extends RecipeChoice {
  /** Threads that fit, as `compressModel` has them. */
  readonly threads?: Threads | undefined;
}

const CHOICE: OptionNames<CompressorChoice> = { scheme: true, recipe: true, threads: true };

/**
 * For the option `compress` of `loadModel`. While it loads, the compressed weights are in memory twice; the floats
 * never are, but for a few strips.
 * @throws OptionError unless it is a scheme or a recipe
 */
export function compressor(choice: CompressorChoice): Compressor {
  checkOptionNames('compress', choice, CHOICE);
  const recipe = chooseRecipe(choice);
  return {
    async compress(checkpoint, options) {
      const { tensors, stage, format, config } = compressed(checkpoint, recipe);
      const memory = new MemoryFile();
      const metadata = { format, config: JSON.stringify(config) };
      const { threads } = choice;
      await writeWeights(tensors, memory, metadata, stage, { ...options, threads });
      const { name, texts } = checkpoint;
      const made = await openCheckpoint(memory.blob(), { signal: options.signal });
      return { ...made, name, texts };
    },
  };
}

/** A file that lies in memory, in the pieces it was written in. */
class MemoryFile implements FileSink {
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];

  async write(bytes: Uint8Array): Promise<void> {
    // The writer may use its bytes again.
    this.#pieces.push(bytes.slice());
  }

  /** The header is what is written anew: it is the first piece. */
  async writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    this.#pieces[0]!.set(bytes, offset);
  }

  async close(): Promise<void> {}

  blob(): Blob {
    return new Blob(this.#pieces);
  }
}
