// Goldens of MLX's quantizer: matrices, and what mx.quantize makes of them. A quantizer of ours that says it is
// MLX's gives these codes, scales and biases, bit for bit.

import { unpackBits } from '../../bindings/formats/bits.js';
import { decodeFloats, encodeFloats } from '../../bindings/formats/float_bytes.js';
import { type FloatType, type WeightFormat, withScaleType } from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { bytesOf, digest, goldens } from './goldens.js';
import { matrix, ROW_NAMES } from './matrices.js';

export interface MlxGolden {
  readonly name: string;
  readonly format: WeightFormat;
  readonly n: number;
  readonly k: number;
  /** [n, k], of the scales' type. */
  readonly weights: Float64Array;
  /** The codes' bit stream, and one a byte [n, k]. */
  readonly stream: Uint8Array;
  readonly codes: Uint8Array;
  /** [n, k / group] */
  readonly scales: Float64Array;
  readonly biases: Float64Array;
  /** SHA-256 of what mx.dequantize makes of them, as floats of the scales' type. */
  readonly values: string;
}

interface Stored {
  readonly bits: number;
  readonly group: number;
  readonly dtype: FloatType;
  readonly weights: string;
  readonly codes: string;
  readonly scales: string;
  readonly biases: string;
  readonly values: string;
}

const SEED = 7;
const K = 128;

/** @throws Error if Python drew other weights than these */
export function mlxGoldens(): MlxGolden[] {
  return goldens<Stored>('mlx_formats').map(([name, stored]) => {
    const { bits, group, dtype } = stored;
    const weights = encodeFloats(matrix(SEED, K), dtype);
    if (digest(weights) !== stored.weights) throw new Error(`${name}: other weights than Python's`);
    const n = ROW_NAMES.length;
    const stream = bytesOf(stored.codes);
    return {
      name,
      format: withScaleType(linearFormat(bits, false, group), dtype),
      n,
      k: K,
      weights: decodeFloats(weights, dtype),
      stream,
      codes: unpackBits(stream, bits, n * K),
      scales: decodeFloats(bytesOf(stored.scales), dtype),
      biases: decodeFloats(bytesOf(stored.biases), dtype),
      values: stored.values,
    };
  });
}
