// The non-zeros of a weight as they are stored (formats/sparse.ts), gathered strip by strip.

import { BitStream } from '../formats/bits.js';
import { FLOAT_BYTES, type WeightFormat } from '../formats/format.js';
import { encodeStarts } from '../formats/sparse.js';

export class SparseParts {
  readonly #stream: BitStream;
  /** Bytes of a float; 1: codes. */
  readonly #size: number;
  readonly #starts = [0];

  constructor({ bits, float }: WeightFormat) {
    this.#stream = new BitStream(float ? 8 : bits);
    this.#size = float ? FLOAT_BYTES[float] : 1;
  }

  /** Of all strips. */
  get count(): number {
    return this.#stream.count / this.#size;
  }

  /**
   * Adds a strip.
   * @param codes one a byte, or bytes of floats
   * @param counts of each row
   * @returns the bytes that are full
   */
  add(codes: Uint8Array, counts: Uint32Array): Uint8Array {
    for (const count of counts) this.#starts.push(this.#starts.at(-1)! + count);
    return this.#stream.append(codes);
  }

  /** The last bytes of the stream. */
  end(): Uint8Array {
    return this.#stream.end();
  }

  starts(): Uint8Array {
    return encodeStarts(this.#starts);
  }
}
