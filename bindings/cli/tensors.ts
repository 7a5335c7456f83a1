// What a checkpoint stores, tensor by tensor.

import { FLOAT_BYTES, formatName, rowBytes, type WeightFormat } from '../formats.js';
import type { Weight } from '../model/weight.js';

export interface TensorReport {
  readonly name: string;
  readonly shape: readonly number[];
  /** f32, f16, bf16, int4, int4-asym, int8 */
  readonly scheme: string;
  /** Width of one stored weight; scales and padding not counted. */
  readonly bits: number;
  /** As stored; scales, biases and padding included. */
  readonly bytes: number;
}

export function tensorReport({ path, shape, format }: Weight): TensorReport {
  const [n = 0, k = 1] = shape;
  return {
    name: path,
    shape,
    scheme: formatName(format),
    bits: formatBits(format),
    bytes: n * rowBytes(format, k),
  };
}

/** Weights, and stored bits over their number. */
export function tensorTotals(tensors: readonly TensorReport[]): {
  parameters: number;
  bitsPerWeight: number;
} {
  let parameters = 0;
  let bytes = 0;
  for (const tensor of tensors) {
    parameters += tensor.shape.reduce((product, size) => product * size, 1);
    bytes += tensor.bytes;
  }
  return { parameters, bitsPerWeight: (8 * bytes) / parameters };
}

function formatBits(format: WeightFormat): number {
  return format.kind === 'linear' ? format.bits : 8 * FLOAT_BYTES[format.dtype];
}
