// Streams a weight from its source into the core's memory: a strip of rows at a time is read into the
// staging area and packed from there, so no tensor exists twice.

import {
  DTYPE_BF16,
  DTYPE_F16,
  DTYPE_F32,
  FORMAT_FLOAT,
  FORMAT_LUT4,
  FORMAT_Q4,
  FORMAT_Q8,
  PANEL,
} from '../../../assembly/op_layout.js';
import { FormatError, UnsupportedError } from '../../errors.js';
import {
  FLOAT_BYTES,
  type FloatType,
  GROUP_SIZE,
  LUT_ENTRIES,
  lutCount,
  PALETTE_ROWS,
  paddedK,
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

/** Rows are staged in multiples of this: whole panels and whole groups of a palette. */
export const STRIP_ROWS = PALETTE_ROWS;

/** Bytes of a palette's panel before its indices: the table, and scales as f32 (kernels/matvec_lut4.ts). */
const LUT4_HEAD = LUT_ENTRIES + PANEL * 4;
/** Entries that are exact in 7 bits. */
const LUT_RANGE = { min: -64, max: 63 };

export function formatCode(format: WeightFormat): number {
  if (format.kind === 'float') return FORMAT_FLOAT;
  if (format.kind === 'palette') return FORMAT_LUT4;
  return format.bits === 4 ? FORMAT_Q4 : FORMAT_Q8;
}

export function dtypeCode(format: WeightFormat): number {
  return DTYPE_CODES[format.kind === 'float' ? format.dtype : format.scaleType];
}

/** Bytes in the core's memory: matrices in whole panels; vectors as f32. */
export function packedBytes({ shape, format }: Weight): number {
  const [n = 0, k] = shape;
  if (k === undefined) return n * 4;
  return Math.ceil(n / PANEL) * panelBytes(format, k);
}

/** Bytes of 8 rows of `k` weights in the core's memory. */
export function panelBytes(format: WeightFormat, k: number): number {
  if (format.kind === 'float') return PANEL * k * FLOAT_BYTES[format.dtype];
  const values = (PANEL * paddedK(k) * format.bits) / 8;
  if (format.kind === 'palette') return LUT4_HEAD + values;
  const perGroup = FLOAT_BYTES[format.scaleType] * (format.symmetric ? 1 : 2);
  return values + PANEL * (paddedK(k) / GROUP_SIZE) * perGroup;
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

/** Bytes of `rows` rows of the values, the scales, and the biases or tables. */
function partBytes({ shape, format }: Weight, rows: number): [number, number, number] {
  const k = shape[1] ?? 0;
  if (format.kind === 'float') return [rows * k * FLOAT_BYTES[format.dtype], 0, 0];
  const values = (rows * paddedK(k) * format.bits) / 8;
  const scale = FLOAT_BYTES[format.scaleType];
  if (format.kind === 'palette') return [values, rows * scale, lutCount(rows) * LUT_ENTRIES];
  const scales = rows * (paddedK(k) / GROUP_SIZE) * scale;
  return [values, scales, format.symmetric ? 0 : scales];
}

export interface Staging {
  readonly address: number;
  readonly bytes: number;
}

/**
 * Packs `weight` at address `to`.
 * @param onBytes called with the file bytes read since the last call
 * @throws FormatError naming the tensor and row if it holds infinity or NaN, UnsupportedError for tables
 *   with entries of more than 7 bits
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

  const strip = STRIP_ROWS * Math.floor(staging.bytes / stripBytes(weight, STRIP_ROWS));
  const parts = [weight.values, weight.scales, weight.biases ?? weight.lut];
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
      if (part === weight.lut) checkLut(part, views.bytes(places[i]!, length), row / PALETTE_ROWS);
      onBytes(length);
    }
    const [values = 0, scales = 0, biases = 0] = places;
    const panelAt = to + (row / PANEL) * panelBytes(weight.format, k);
    const code = formatCode(weight.format);
    const dtype = dtypeCode(weight.format);
    const bad = core.pack_tensor(code, dtype, panelAt, values, scales, biases, rows, k);
    if (bad >= 0) throw notFinite(weight.lut ? weight.scales! : weight.values, row + bad);
  }
}

/** Checks tables from number `first` on. */
function checkLut(part: Part, bytes: Uint8Array, first: number): void {
  const { min, max } = LUT_RANGE;
  for (const [i, byte] of bytes.entries()) {
    const entry = (byte << 24) >> 24;
    if (entry >= min && entry <= max) continue;
    const table = first + Math.floor(i / LUT_ENTRIES);
    throw new UnsupportedError(
      `[load] ${part.source.name}: ${part.name}: entry ${entry} in table ${table}, ` +
        `only ${min} to ${max} are supported`,
    );
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
