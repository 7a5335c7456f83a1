// Weights in the layouts that the kernel files describe, packed here from those descriptions alone, so that
// kernel tests do not lean on the packer of the library.

import { BLOCK } from '../../assembly/op_layout.js';
import type { LinearRows } from '../../bindings/executor/reference.js';
import {
  type FloatType,
  paddedK,
  type WeightFormat,
  withScaleType,
} from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { stored } from './floats.js';
import type { TestRandom } from './random.js';

const PANEL = 8;

/** A float weight [n, k] as panels [ceil(n / 8), k, 8]; rows beyond n are zero. */
export function packFloat(values: ArrayLike<number>, n: number, k: number, type: FloatType) {
  const { bits, values: exact } = stored(values, type);
  const panels = Math.ceil(n / PANEL);
  const packed =
    type === 'f32' ? new Float32Array(panels * k * PANEL) : new Uint16Array(panels * k * PANEL);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < k; i++) {
      const at = (Math.floor(row / PANEL) * k + i) * PANEL + (row % PANEL);
      packed[at] = bits[row * k + i]!;
    }
  }
  return { packed, values: exact };
}

export interface LinearShape {
  readonly n: number;
  readonly k: number;
  readonly bits: 4 | 8;
  readonly scaleType: FloatType;
  readonly hasBias: boolean;
}

/** Its format, with scales of its type. */
export function formatOf({ bits, scaleType, hasBias }: Omit<LinearShape, 'n' | 'k'>): WeightFormat {
  return withScaleType(linearFormat(bits, !hasBias), scaleType);
}

/** A seeded linear weight, its values and its packed bytes. Scales have both signs; some are zero. */
export function linearWeight(shape: LinearShape, random: TestRandom) {
  const { n, k, bits, scaleType, hasBias } = shape;
  const blocks = paddedK(k) / BLOCK;
  const limit = 2 ** bits;
  const q = Uint8Array.from({ length: n * blocks * BLOCK }, (_, i) => {
    // Every third row is all extremes.
    if (Math.floor(i / (blocks * BLOCK)) % 3 === 2) return random.below(2) * (limit - 1);
    return random.below(limit);
  });
  const draw = () => (random.below(9) === 0 ? 0 : random.normal() * 0.02);
  const scales = stored(Float32Array.from({ length: n * blocks }, draw), scaleType);
  const biases = hasBias
    ? stored(Float32Array.from({ length: n * blocks }, draw), scaleType)
    : null;
  const rows: LinearRows = {
    q,
    scales: scales.values,
    biases: biases?.values ?? null,
    zeroPoint: hasBias ? 0 : limit / 2,
  };
  return { rows, packed: packLinear(shape, q, scales.bits, biases?.bits ?? null) };
}

/** Values [n, k] of a linear weight. */
export function dequantize(rows: LinearRows, n: number, k: number): Float64Array {
  const blocks = paddedK(k) / BLOCK;
  const out = new Float64Array(n * k);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < k; i++) {
      const block = row * blocks + Math.floor(i / BLOCK);
      const q = rows.q[row * blocks * BLOCK + i]! - rows.zeroPoint;
      out[row * k + i] = q * rows.scales[block]! + (rows.biases?.[block] ?? 0);
    }
  }
  return out;
}

/** Records [ceil(n / 8), blocks]: q of 8 rows x 32 k, then 8 scales, then 8 biases. */
function packLinear(
  shape: LinearShape,
  q: Uint8Array,
  scales: Float32Array | Uint16Array,
  biases: Float32Array | Uint16Array | null,
): Uint8Array {
  const { n, bits } = shape;
  const blocks = paddedK(shape.k) / BLOCK;
  const scaleBytes = scales.BYTES_PER_ELEMENT;
  const qBytes = PANEL * BLOCK * (bits / 8);
  const record = qBytes + PANEL * scaleBytes * (biases === null ? 1 : 2);
  const out = new Uint8Array(Math.ceil(n / PANEL) * blocks * record);
  const floats = (from: Float32Array | Uint16Array, index: number) =>
    new Uint8Array(from.buffer, from.byteOffset + index * scaleBytes, scaleBytes);
  for (let row = 0; row < n; row++) {
    for (let block = 0; block < blocks; block++) {
      const at = (Math.floor(row / PANEL) * blocks + block) * record;
      const lane = row % PANEL;
      const index = row * blocks + block;
      for (let i = 0; i < BLOCK; i++) {
        const value = q[index * BLOCK + i]!;
        if (bits === 4) {
          const nibble = i % 8 < 4 ? value : value << 4;
          const vector = Math.floor(lane / 4) * 4 + Math.floor(i / 8);
          out[at + vector * 16 + (lane % 4) * 4 + (i % 4)]! |= nibble;
        } else {
          out[at + Math.floor(i / 4) * 32 + lane * 4 + (i % 4)] = value - 128;
        }
      }
      out.set(floats(scales, index), at + qBytes + lane * scaleBytes);
      if (biases !== null) {
        out.set(floats(biases, index), at + qBytes + (PANEL + lane) * scaleBytes);
      }
    }
  }
  return out;
}
