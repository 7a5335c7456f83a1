// A weight as the plan sees it: one name, one shape, one format, and where its bytes lie.

import type { WeightFormat } from '../formats.js';
import type { ByteSource } from '../platform/byte_source.js';

export type { ByteSource };

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
  /** Row-major values: floats [n, k], or packed q or indices [n, paddedK(k) * bits / 8] bytes. */
  readonly values: Part;
  /** Linear formats: [n, paddedK(k) / 32] scales. Palettes: [n], one per output channel. */
  readonly scales?: Part;
  /** Linear formats that are not symmetric: [n, paddedK(k) / 32] biases. */
  readonly biases?: Part;
  /** Palettes: [ceil(n / 16), 16] int8. */
  readonly lut?: Part;
}

/** Bytes of all its tensors as stored. */
export function storedBytes({ values, scales, biases, lut }: Weight): number {
  return values.bytes + (scales?.bytes ?? 0) + (biases?.bytes ?? 0) + (lut?.bytes ?? 0);
}
