// Linear quantization of blocks of 32 weights along k:
//
//   symmetric    w = scale * (q - 2^(bits-1))
//   asymmetric   w = scale * q + bias

import { GROUP_SIZE, paddedK } from '../formats.js';
import { type Floats, LinearBlock } from './linear_block.js';
import type { LinearScheme } from './recipe.js';

/** One quantized strip of rows. */
export interface QuantizedStrip {
  /** q, one a byte: [rows, paddedK]. */
  readonly q: Uint8Array;
  /** [rows, paddedK / 32], values after rounding. */
  readonly scales: Float32Array;
  /** As scales; null for symmetric schemes. */
  readonly biases: Float32Array | null;
  /** Float16 holds every scale and bias; if not, they are float32. */
  readonly inHalf: boolean;
}

/**
 * Quantizes rows of `k` float weights.
 * @param weights [rows, k], all finite
 */
export function quantizeLinear(weights: Floats, k: number, scheme: LinearScheme): QuantizedStrip {
  const rows = weights.length / k;
  const kPadded = paddedK(k);
  const groups = kPadded / GROUP_SIZE;
  // Padding takes the level of zero, or of nothing at all; it has no meaning.
  const q = new Uint8Array(rows * kPadded).fill(2 ** (scheme.bits - 1));
  const scales = new Float32Array(rows * groups);
  const biases = scheme.symmetric ? null : new Float32Array(rows * groups);
  const block = new LinearBlock(scheme.bits);
  let inHalf = true;
  for (let row = 0, g = 0; row < rows; row++) {
    for (let begin = 0; begin < k; begin += GROUP_SIZE, g++) {
      const end = Math.min(begin + GROUP_SIZE, k);
      const w = weights.subarray(row * k + begin, row * k + end);
      if (scheme.symmetric) block.fitSymmetric(w);
      else block.fitAffine(w);
      q.set(block.q.subarray(0, end - begin), row * kPadded + begin);
      scales[g] = block.scale;
      if (biases) biases[g] = block.bias;
      if (!block.inHalf) inHalf = false;
    }
  }
  return { q, scales, biases, inHalf };
}

/** Packs q, one a byte, into the stored stream: 4 bits take the low nibble first. */
export function packBits(q: Uint8Array, bits: 4 | 8): Uint8Array {
  if (bits === 8) return q;
  const packed = new Uint8Array(q.length >> 1);
  for (let i = 0; i < packed.length; i++) {
    packed[i] = (q[2 * i] as number) | ((q[2 * i + 1] as number) << 4);
  }
  return packed;
}
