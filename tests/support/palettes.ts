// Palettes as a file has them and in the layout that kernels/matvec_lut4.ts draws, packed here from that
// description alone.

import { BLOCK } from '../../assembly/op_layout.js';
import type { LinearRows } from '../../bindings/executor/reference.js';
import { type FloatType, paddedK } from '../../bindings/formats/format.js';
import { stored } from './floats.js';
import type { TestRandom } from './random.js';

const PANEL = 8;
const GROUP = 16;
const HEAD = 48;
const RECORD = 128;

export interface PaletteShape {
  readonly n: number;
  readonly k: number;
  readonly scaleType: FloatType;
}

/** A seeded palette: its values, its bytes in a file, and its packed bytes. */
export function paletteWeight(shape: PaletteShape, random: TestRandom) {
  const { n, k, scaleType } = shape;
  const padded = paddedK(k);
  const indices = Uint8Array.from({ length: n * padded }, () => random.below(16));
  const lut = Int8Array.from({ length: Math.ceil(n / GROUP) * 16 }, (_, i) => {
    // Every other table is all extremes.
    if (Math.floor(i / 16) % 2 === 0) return random.below(2) === 0 ? -64 : 63;
    return random.below(128) - 64;
  });
  const draw = () => (random.below(9) === 0 ? 0 : random.normal() * 0.02);
  const scales = stored(Float32Array.from({ length: n }, draw), scaleType);
  const entry = (at: number) => lut[Math.floor(at / padded / GROUP) * 16 + indices[at]!]!;
  const rows: LinearRows = {
    q: Uint8Array.from(indices, (_, at) => entry(at) + 64),
    scales: Float64Array.from(
      { length: (n * padded) / BLOCK },
      (_, block) => scales.values[Math.floor((block * BLOCK) / padded)]!,
    ),
    biases: null,
    zeroPoint: 64,
  };
  const stream = Uint8Array.from(
    { length: indices.length / 2 },
    (_, i) => indices[2 * i]! | (indices[2 * i + 1]! << 4),
  );
  const packed = pack(n, padded, indices, lut, scales.values);
  return { rows, stream, lut, scaleBits: scales.bits, packed };
}

/** Panels: table + 64, scales as float32, then 128 bytes a block. */
function pack(
  n: number,
  padded: number,
  indices: Uint8Array,
  lut: Int8Array,
  scales: Float64Array,
): Uint8Array {
  const blocks = padded / BLOCK;
  const panelBytes = HEAD + blocks * RECORD;
  const out = new Uint8Array(Math.ceil(n / PANEL) * panelBytes);
  const view = new DataView(out.buffer);
  for (let row = 0; row < n; row++) {
    const panel = Math.floor(row / PANEL) * panelBytes;
    const lane = row % PANEL;
    for (let i = 0; i < 16; i++) out[panel + i] = lut[Math.floor(row / GROUP) * 16 + i]! + 64;
    view.setFloat32(panel + 16 + 4 * lane, scales[row]!, true);
    for (let i = 0; i < padded; i++) {
      const record = panel + HEAD + Math.floor(i / BLOCK) * RECORD;
      const vector = Math.floor(lane / 4) * 4 + Math.floor((i % BLOCK) / 8);
      const at = record + vector * 16 + (lane % 4) * 4 + (i % 4);
      out[at]! |= indices[row * padded + i]! << (i % 8 < 4 ? 0 : 4);
    }
  }
  return out;
}
