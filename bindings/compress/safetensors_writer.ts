// A safetensors file written front to back. The header stands first in the file but the dtype of scales
// is known only after their tensor was quantized, so room for the longest header is left and the rest of
// it filled with spaces, which the format allows.

import type { FileSink } from '#platform';
import { encodeHeader, type StoredTensor } from '../model/safetensors.js';

export type TensorEntry = Pick<StoredTensor, 'name' | 'dtype' | 'shape' | 'bytes'>;

const LENGTH_BYTES = 8;

export class SafetensorsWriter {
  readonly #sink: FileSink;
  readonly #metadata: Readonly<Record<string, string>>;
  readonly #headerBytes: number;
  readonly #written: TensorEntry[] = [];
  #dataBytes = 0;

  private constructor(
    sink: FileSink,
    metadata: Readonly<Record<string, string>>,
    headerBytes: number,
  ) {
    this.#sink = sink;
    this.#metadata = metadata;
    this.#headerBytes = headerBytes;
  }

  /**
   * @param atMost the tensors to come, with the most bytes each can have
   * @param metadata strings for `__metadata__`
   */
  static async begin(
    sink: FileSink,
    atMost: readonly TensorEntry[],
    metadata: Readonly<Record<string, string>>,
  ): Promise<SafetensorsWriter> {
    const longest = encodeHeader(atMost, metadata).length;
    const headerBytes = Math.ceil(longest / 8) * 8;
    await sink.write(new Uint8Array(LENGTH_BYTES + headerBytes));
    return new SafetensorsWriter(sink, metadata, headerBytes);
  }

  /** Appends bytes of the tensor that the next `endTensor` names. */
  append(bytes: Uint8Array): Promise<void> {
    return this.#sink.write(bytes);
  }

  endTensor(tensor: TensorEntry): void {
    this.#written.push(tensor);
    this.#dataBytes += tensor.bytes;
  }

  /** Writes the header. @returns bytes of the file */
  async finish(): Promise<number> {
    const head = new Uint8Array(LENGTH_BYTES + this.#headerBytes).fill(0x20);
    new DataView(head.buffer).setBigUint64(0, BigInt(this.#headerBytes), true);
    head.set(encodeHeader(this.#written, this.#metadata), LENGTH_BYTES);
    await this.#sink.writeAt(0, head);
    return head.length + this.#dataBytes;
  }
}
