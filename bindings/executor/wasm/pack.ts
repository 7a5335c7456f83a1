// Streams a weight from its source into the core's memory: a strip of rows at a time is read into the
// staging area and packed from there, so no tensor exists twice.

import {
  DTYPE_BF16,
  DTYPE_F16,
  DTYPE_F32,
  FORMAT_FLOAT,
  FORMAT_Q4,
  FORMAT_Q8,
  PANEL,
} from '../../../assembly/op_layout.js';
import { FormatError } from '../../errors.js';
import {
  FLOAT_BYTES,
  type FloatType,
  GROUP_SIZE,
  paddedK,
  rowBytes,
  type WeightFormat,
} from '../../formats.js';
import { bf16ToF32, f16ToF32 } from '../../model/float16.js';
import type { Part, Weight } from '../../model/weight.js';
import { nextTask } from '../../platform/next_task.js';
import type { Core, MemoryViews } from './core.js';

export const DTYPE_CODES: Readonly<Record<FloatType, number>> = {
  f32: DTYPE_F32,
  f16: DTYPE_F16,
  bf16: DTYPE_BF16,
};

export function formatCode(format: WeightFormat): number {
  if (format.kind === 'float') return FORMAT_FLOAT;
  return format.bits === 4 ? FORMAT_Q4 : FORMAT_Q8;
}

export function dtypeCode(format: WeightFormat): number {
  return DTYPE_CODES[format.kind === 'float' ? format.dtype : format.scaleType];
}

/** Bytes in the core's memory: matrices in whole panels; vectors as f32. */
export function packedBytes({ shape, format }: Weight): number {
  const [n = 0, k] = shape;
  if (k === undefined) return n * 4;
  return Math.ceil(n / PANEL) * PANEL * rowBytes(format, k);
}

/** Bytes of `rows` rows in staging, each part aligned to 16. */
export function stripBytes(weight: Weight, rows: number): number {
  const k = weight.shape[1];
  if (k === undefined) return (weight.shape[0] ?? 0) * 4;
  return partBytes(weight, rows).reduce((sum, bytes) => sum + align16(bytes), 0);
}

function align16(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

/** Bytes of `rows` rows of the values, scales and biases. */
function partBytes({ shape, format }: Weight, rows: number): [number, number, number] {
  const k = shape[1] ?? 0;
  if (format.kind === 'float') return [rows * rowBytes(format, k), 0, 0];
  const scales = rows * (paddedK(k) / GROUP_SIZE) * FLOAT_BYTES[format.scaleType];
  return [(rows * paddedK(k) * format.bits) / 8, scales, format.symmetric ? 0 : scales];
}

export interface Staging {
  readonly address: number;
  readonly bytes: number;
}

/**
 * Packs `weight` at address `to`.
 * @param onBytes called with the file bytes read since the last call
 * @throws FormatError naming the tensor and row if it holds infinity or NaN
 */
export async function packWeight(
  core: Core,
  views: MemoryViews,
  weight: Weight,
  to: number,
  staging: Staging,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const [n = 0, k] = weight.shape;
  if (k === undefined) return packVector(views, weight, to, staging, onBytes, signal);

  const panelsAtOnce = Math.max(1, Math.floor(staging.bytes / stripBytes(weight, PANEL)));
  const strip = panelsAtOnce * PANEL;
  const parts = [weight.values, weight.scales, weight.biases];
  const panelBytes = PANEL * rowBytes(weight.format, k);
  for (let row = 0; row < n; row += strip) {
    // Bytes in memory are read at once: without a turn of the event loop nothing could abort.
    if (row > 0) await nextTask();
    signal?.throwIfAborted();
    const rows = Math.min(strip, n - row);
    const before = partBytes(weight, row);
    const lengths = partBytes(weight, rows);
    const places = [0, 0, 0];
    let at = staging.address;
    for (const [i, part] of parts.entries()) {
      const length = lengths[i] ?? 0;
      if (!part || length === 0) continue;
      places[i] = at;
      await part.source.read(part.offset + (before[i] ?? 0), views.bytes(at, length), signal);
      at += align16(length);
      onBytes(length);
    }
    const [values = 0, scales = 0, biases = 0] = places;
    const panelAt = to + (row / PANEL) * panelBytes;
    const code = formatCode(weight.format);
    const dtype = dtypeCode(weight.format);
    const bad = core.pack_tensor(code, dtype, panelAt, values, scales, biases, rows, k);
    if (bad >= 0) throw notFinite(weight.values, row + bad);
  }
}

/** Vectors (norm weights) are kept as f32: a few kilobytes, read whole by every row. */
async function packVector(
  views: MemoryViews,
  weight: Weight,
  to: number,
  staging: Staging,
  onBytes: (bytes: number) => void,
  signal?: AbortSignal,
): Promise<void> {
  const { format, values, shape } = weight;
  const n = shape[0] ?? 0;
  if (format.kind !== 'float')
    throw new FormatError(`[load] ${values.name}: a vector must be float`);
  await values.source.read(values.offset, views.bytes(staging.address, values.bytes), signal);
  const from = new DataView(views.memory.buffer, staging.address, values.bytes);
  const out = views.floats(to, n);
  for (let i = 0; i < n; i++) {
    const value = readFloat(from, i, format.dtype);
    if (!Number.isFinite(value)) throw notFinite(values, i);
    out[i] = value;
  }
  onBytes(values.bytes);
}

function readFloat(view: DataView, i: number, dtype: FloatType): number {
  if (dtype === 'f32') return view.getFloat32(4 * i, true);
  return dtype === 'f16'
    ? f16ToF32(view.getUint16(2 * i, true))
    : bf16ToF32(view.getUint16(2 * i, true));
}

function notFinite(part: Part, row: number): FormatError {
  return new FormatError(
    `[load] ${part.source.name}: ${part.name} has infinity or NaN in row ${row}`,
  );
}
