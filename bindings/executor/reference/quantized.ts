// What integer matmul means: activations int8 per 32-block, weights unsigned q per 32-group, exact integer
// dots, float sums in ascending order of blocks. Block and group are the same 32 elements of k.

import { BLOCK } from '../../../assembly/op_layout.js';

const Q_MAX = 127;

/** Rows of activations: x = q * scale, per block of 32; the last block is padded with zeros. */
export interface QuantizedRows {
  /** [rows, paddedK(k)], -127..127 */
  readonly q: Int8Array;
  /** [rows, paddedK(k) / 32], max |x| / 127 */
  readonly scales: Float64Array;
  /** [rows, paddedK(k) / 32], sum of q */
  readonly sums: Int32Array;
}

/** A linear weight, w = scale * (q - zeroPoint) + bias. */
export interface LinearRows {
  /** [n, paddedK(k)] */
  readonly q: Uint8Array;
  /** [n, paddedK(k) / 32] */
  readonly scales: Float64Array;
  /** [n, paddedK(k) / 32], null when symmetric */
  readonly biases: Float64Array | null;
  /** 2^(bits - 1) when symmetric, else 0 */
  readonly zeroPoint: number;
}

/** Quantizes x [rows, k]. Rounds half to even; a block of zeros has scale 0. */
export function quantizeRows(x: Float64Array, k: number): QuantizedRows {
  const rows = x.length / k;
  const blocks = Math.ceil(k / BLOCK);
  const q = new Int8Array(rows * blocks * BLOCK);
  const scales = new Float64Array(rows * blocks);
  const sums = new Int32Array(rows * blocks);
  for (let block = 0; block < rows * blocks; block++) {
    const row = Math.floor(block / blocks);
    const begin = (block % blocks) * BLOCK;
    const values = x.subarray(row * k + begin, row * k + Math.min(begin + BLOCK, k));
    const max = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    if (max === 0) continue;
    const scale = max / Q_MAX;
    values.forEach((value, i) => {
      const rounded = Math.max(-Q_MAX, Math.min(Q_MAX, roundHalfEven(value / scale)));
      q[block * BLOCK + i] = rounded;
      sums[block]! += rounded;
    });
    scales[block] = scale;
  }
  return { q, scales, sums };
}

/** out [m, n] = x @ w^T, both with `blocks` blocks of 32 along k */
export function matmulQuantized(x: QuantizedRows, w: LinearRows, blocks: number): Float64Array {
  const m = x.scales.length / blocks;
  const n = w.scales.length / blocks;
  const out = new Float64Array(m * n);
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let sum = 0;
      for (let b = 0; b < blocks; b++) {
        const xBlock = row * blocks + b;
        const wBlock = column * blocks + b;
        const xScale = x.scales[xBlock]!;
        sum += blockDot(x, xBlock, w, wBlock) * w.scales[wBlock]! * xScale;
        if (w.biases !== null) sum += x.sums[xBlock]! * w.biases[wBlock]! * xScale;
      }
      out[row * n + column] = sum;
    }
  }
  return out;
}

function blockDot(x: QuantizedRows, xBlock: number, w: LinearRows, wBlock: number): number {
  let dot = 0;
  for (let i = 0; i < BLOCK; i++) {
    dot += x.q[xBlock * BLOCK + i]! * (w.q[wBlock * BLOCK + i]! - w.zeroPoint);
  }
  return dot;
}

/** The nearest integer; of two equally near, the even one. */
export function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}
