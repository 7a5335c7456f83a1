// Streams a weight from its source into the core's memory: a strip of rows at a time is read into the
// staging area and packed from there, so no tensor exists twice.

import { PACKED_BYTES, PACKED_FIRST, PANEL } from '../../../assembly/op_layout.js';
import { FormatError } from '../../errors.js';
import { decodeFloats } from '../../formats/float_bytes.js';
import { ALL, type WeightFormat } from '../../formats/format.js';
import { bytesOfRows, FLOAT_TYPES, type Role, rowBytes } from '../../formats/parts.js';
import { checkTables } from '../../model/check_tables.js';
import { readOutliers } from '../../model/read_outliers.js';
import { readRowBytes } from '../../model/row_bytes.js';
import { matrixShape, type Part, partOf, type Weight } from '../../model/weight.js';
import { nextTask } from '../../platform/next_task.js';
import type { Core, MemoryViews } from './core.js';
import { packOutliers } from './pack_outliers.js';
import { PACKED_ROLES, packedHeader, panelBytes, tableBytes } from './packing.js';

/** Rows are staged in multiples of this: whole panels and whole groups of a palette. */
export const STRIP_ROWS = 16;

/** Bytes of `rows` rows in staging, each part aligned to 16. */
export function stripBytes(weight: Weight, rows: number): number {
  const parts = weight.parts.filter(inStrips);
  return parts.reduce((sum, part) => sum + align16(mostBytes(weight, part, rows)), 0);
}

function mostBytes(weight: Weight, part: Part, rows: number): number {
  if (part.streamBits) {
    // All weights may be there, and the first may begin inside a byte.
    const all = Math.ceil((rows * matrixShape(weight).k * part.streamBits) / 8);
    return Math.min(part.bytes, all + 1);
  }
  const [from, to] = bytesOfRows(part, 0, Math.min(rows, part.shape[0]! * part.serves));
  return to - from;
}

/** Outliers are placed as they are read. */
function inStrips({ serves }: Part): boolean {
  return serves !== ALL;
}

function align16(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}

export interface Staging {
  readonly address: number;
  readonly bytes: number;
}

/**
 * Packs `weight` at address `to`.
 * @param onBytes called with the file bytes read since the last call
 * @throws FormatError naming the tensor and row if it holds infinity or NaN, or the table with an entry that its
 *   format does not have
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

  const { format, parts } = weight;
  const header = packedHeader(format, n, k);
  for (const [offset, value] of header) views.words[(to + offset) / 4] = value;
  const firstPanel = to + header.get(PACKED_FIRST)!;
  const reached = new Map<Part, number>();
  const strip = STRIP_ROWS * Math.floor(staging.bytes / stripBytes(weight, STRIP_ROWS));
  for (let row = 0; row < n; row += strip) {
    // Bytes in memory are read at once: without a turn of the event loop nothing could abort.
    if (row > 0) await nextTask();
    signal?.throwIfAborted();
    const rows = Math.min(strip, n - row);
    const places: Partial<Record<Role, number>> = {};
    let at = staging.address;
    let read = 0;
    const place = (part: Part, from: number, end: number) => {
      const bytes = views.bytes(at, end - from);
      places[part.role] = at;
      at += align16(bytes.length);
      // What strips share is read with each.
      read += end - Math.max(from, reached.get(part) ?? 0);
      reached.set(part, end);
      return bytes;
    };
    const ofStrip = parts.filter(inStrips);
    const bytes = await readRowBytes(weight, row, row + rows, place, signal, ofStrip);
    if (bytes.lut) {
      checkTables(weight, row, bytes.lut);
      placeTables(views, partOf(weight, 'lut'), bytes.lut, row, format, to);
    }
    onBytes(read);
    const panelAt = firstPanel + (row / PANEL) * panelBytes(format, k);
    const staged = PACKED_ROLES.map((role) => places[role] ?? 0);
    const bad = core.pack_tensor(to, panelAt, rows, k, ...staged);
    // Codes are always numbers; floats and scales may be none.
    if (bad >= 0) throw notFinite(parts.filter(mayBeNone), row + bad);
  }
  if (format.outliers) {
    packOutliers(views, to, n, await readOutliers(weight, signal));
    for (const part of parts) if (!inStrips(part)) onBytes(part.bytes);
  }
}

/** Writes the tables that rows from `row` on need, where they lie apart from the panels. */
function placeTables(
  views: MemoryViews,
  part: Part,
  bytes: Uint8Array,
  row: number,
  { bits, lut }: WeightFormat,
  packed: number,
): void {
  if (views.words[(packed + PACKED_FIRST) / 4]! === PACKED_BYTES) return;
  const size = rowBytes(part);
  const stride = tableBytes(bits, lut!);
  const first = packed + PACKED_BYTES + Math.floor(row / part.serves) * stride;
  for (let i = 0; i * size < bytes.length; i++) {
    views.bytes(first + i * stride, size).set(bytes.subarray(i * size, (i + 1) * size));
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
  const { format, parts } = weight;
  const [{ source, offset, bytes, name }] = parts;
  if (!format.float) throw new FormatError(`[load] ${name}: a vector must be float`);
  const staged = views.bytes(staging.address, bytes);
  await source.read(offset, staged, signal);
  const values = decodeFloats(staged, format.float);
  const bad = values.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) throw notFinite(parts, bad);
  views.floats(to, values.length).set(values);
  onBytes(bytes);
}

/** Floats that the core looks at: tables and outliers were looked at before. */
function mayBeNone({ role, dtype }: Part): boolean {
  return FLOAT_TYPES.has(dtype) && role !== 'lut' && !role.startsWith('outlier');
}

/** @param parts one of which it is */
function notFinite(parts: readonly Part[], row: number): FormatError {
  const names = parts.map(({ name }) => name).join(' or ');
  return new FormatError(
    `[load] ${parts[0]!.source.name}: ${names} has infinity or NaN in row ${row}`,
  );
}
