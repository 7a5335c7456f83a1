// THE list of formats: kernel, identity, everywhere and benchmark tests go through it, so that a format which is
// listed here is tested wherever formats are. And weights of any of them, as a file holds them.

import { withFloats } from '../../bindings/formats/activations.js';
import { packBits } from '../../bindings/formats/bits.js';
import { codecOf, formatName } from '../../bindings/formats/codecs.js';
import { encodeFloats } from '../../bindings/formats/float_bytes.js';
import {
  ALL,
  floatFormat,
  paddedK,
  type WeightFormat,
  withNonZeros,
  withOutliers,
  withScaleType,
} from '../../bindings/formats/format.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import { encodeEntries, entryBits } from '../../bindings/formats/lut_entry.js';
import type { Outliers } from '../../bindings/formats/outliers.js';
import { paletteFormat } from '../../bindings/formats/palette.js';
import { type PartShape, partBytes, type Role } from '../../bindings/formats/parts.js';
import { withSteps } from '../../bindings/formats/scales.js';
import { encodeStarts, sparseFormat } from '../../bindings/formats/sparse.js';
import { memorySource } from '../../bindings/model/source.js';
import type { Part, Weight } from '../../bindings/model/weight.js';
import { stored } from './floats.js';
import type { TestRandom } from './random.js';

const TYPES = ['f32', 'f16', 'bf16'] as const;

/** How many outliers there are, the weight says. */
const SOME = 1;

/** What weights are compressed to, with float16 scales. */
export const PACKED_FORMATS: readonly WeightFormat[] = [
  linearFormat(8, true),
  linearFormat(8, false),
  linearFormat(4, true),
  linearFormat(4, false),
  linearFormat(1, false),
  linearFormat(2, true),
  linearFormat(2, false),
  linearFormat(3, true),
  linearFormat(3, false),
  linearFormat(5, true),
  linearFormat(5, false),
  linearFormat(6, true),
  linearFormat(6, false),
  ...[16, 64, 128].map((group) => linearFormat(4, false, group)),
  linearFormat(3, true, 64),
  linearFormat(8, true, 16),
  linearFormat(8, false, 64),
  linearFormat(4, true, undefined, 'per_channel'),
  linearFormat(8, true, undefined, 'per_channel'),
  linearFormat(6, false, undefined, 'per_channel'),
  linearFormat(8, false, undefined, 'per_tensor'),
  // As in GGUF's K types.
  ...[linearFormat(4, false), linearFormat(6, true, 16), linearFormat(3, true, 16)].map(withSteps),
  ...[linearFormat(2, false, 16), linearFormat(8, true), linearFormat(5, false, 64)].map(withSteps),
  paletteFormat(4),
  ...[1, 2, 3, 6, 8].map((bits) => paletteFormat(bits)),
  paletteFormat(4, { rows: ALL }),
  paletteFormat(6, { rows: ALL, perChannel: false }),
  paletteFormat(4, { rows: 3, perChannel: false }),
  paletteFormat(3, { rows: 4 }),
  paletteFormat(2, { rows: 8, entry: 'i8' }),
  paletteFormat(4, { rows: 40, entry: 'i8', perChannel: false }),
  // Small integers in groups along k.
  paletteFormat(4, { rows: ALL, block: 32 }),
  paletteFormat(4, { rows: ALL, block: 16 }),
  // Floats: their activations, their tables.
  ...[linearFormat(4, true), linearFormat(5, false, 16), linearFormat(8, false)].map(withFloats),
  withFloats(linearFormat(3, false, undefined, 'per_channel')),
  withFloats(paletteFormat(4)),
  withFloats(paletteFormat(6, { rows: 3 })),
  paletteFormat(4, { entry: 'f16', perChannel: false }),
  paletteFormat(3, { rows: 8, entry: 'f16' }),
  paletteFormat(8, { rows: ALL, entry: 'f16', perChannel: false }),
  paletteFormat(4, { rows: ALL, entry: 'f32', block: 64 }),
  paletteFormat(2, { rows: 5, entry: 'f32', perChannel: false }),
  // Vectors.
  paletteFormat(8, { rows: ALL, entry: 'f16', perChannel: false, dim: 2 }),
  paletteFormat(6, { rows: 16, dim: 4 }),
  paletteFormat(4, { rows: 6, entry: 'f32', dim: 2, block: 16 }),
  paletteFormat(3, { rows: 8, entry: 'f16', dim: 4 }),
  paletteFormat(4, { rows: 16, dim: 2, perChannel: false }),
  ...[
    linearFormat(4, true),
    linearFormat(3, false),
    linearFormat(8, false, undefined, 'per_tensor'),
    paletteFormat(4),
    paletteFormat(6, { rows: ALL }),
    withFloats(linearFormat(4, true)),
    paletteFormat(4, { rows: 16, dim: 2, perChannel: false }),
  ].map((format) => withOutliers(format, SOME)),
  // Pruned.
  ...[
    linearFormat(4, true),
    linearFormat(4, false),
    linearFormat(3, true, 64),
    linearFormat(8, false, 16),
    linearFormat(6, false, undefined, 'per_channel'),
    linearFormat(8, true, undefined, 'per_tensor'),
    paletteFormat(4),
    paletteFormat(2, { rows: 3, perChannel: false }),
    paletteFormat(6, { rows: ALL }),
    paletteFormat(8),
    floatFormat('f16'),
  ].map(sparseFormat),
];

/** All, with every type of floats and of scales. */
export const FORMATS: readonly WeightFormat[] = [
  ...TYPES.map(floatFormat),
  ...(['f32', 'bf16'] as const).map((type) => sparseFormat(floatFormat(type))),
  ...PACKED_FORMATS.flatMap((format) =>
    format.scale ? TYPES.map((type) => withScaleType(format, type)) : [format],
  ),
];

/** For test names. */
export function caseOf(format: WeightFormat): string {
  const scales = format.scale ? `, scales ${format.scale.dtype}` : '';
  return `${formatName(format)}${scales}`;
}

/** At least `n` rows: a vector palette has them by the vector. */
export function wholeRows({ lut }: WeightFormat, n: number): number {
  const dim = lut?.dim ?? 1;
  return Math.ceil(n / dim) * dim;
}

/** A seeded weight [n, k], hostile on purpose: rows and tables of extremes, scales of both signs and of zero. */
export function storedWeight(
  format: WeightFormat,
  n: number,
  k: number,
  random: TestRandom,
): Weight {
  if (format.sparse) return sparseWeight(format, n, k, random);
  if (!format.outliers) return weightOf(format, n, k, (shape) => partOf(format, shape, random));
  const outliers = drawOutliers(n, k, random);
  const whole = withOutliers(format, outliers.values.length);
  return weightOf(whole, n, k, (shape) => {
    return outlierBytes(outliers)[shape.role] ?? partOf(format, shape, random);
  });
}

/** Rows of no weights, of all, and of half; in every second panel of them blocks of 32 k without weights. */
function sparseWeight(format: WeightFormat, n: number, k: number, random: TestRandom): Weight {
  const bits = new Uint8Array(n * paddedK(k));
  const starts = [0];
  for (let row = 0; row < n; row++) {
    const least = [0, 2, 1][row % 3]!;
    let count = 0;
    for (let i = 0; i < k; i++) {
      const isHole = Math.floor(row / 8) % 2 === 0 && Math.floor(i / 32) % 3 === 1;
      if (isHole || random.below(2) + least < 2) continue;
      bits[row * paddedK(k) + i] = 1;
      count++;
    }
    starts.push(starts.at(-1)! + count);
  }
  const known: Partial<Record<Role, Uint8Array>> = {
    mask: packBits(bits, 1),
    starts: encodeStarts(starts),
  };
  const stored = withNonZeros(format, starts.at(-1)!);
  return weightOf(stored, n, k, (shape) => known[shape.role] ?? partOf(stored, shape, random));
}

/** None in most rows; in some one, the first and the last, or all that there may be. */
function drawOutliers(n: number, k: number, random: TestRandom): Outliers {
  const rows: number[] = [];
  const columns: number[] = [];
  for (let row = 0; row < n; row++) {
    const few = [[], [], [], [random.below(k)], [0, k - 1], Array.from({ length: k }, (_, i) => i)];
    const drawn = row === 0 ? [k - 1] : few[random.below(few.length)]!;
    for (const column of drawn) columns.push(column);
    while (rows.length < columns.length) rows.push(row);
  }
  return { rows, columns, values: rows.map(() => random.normal()) };
}

/** Outliers as a file holds them. */
export function outlierBytes({
  rows,
  columns,
  values,
}: Outliers): Partial<Record<Role, Uint8Array>> {
  const bytes = ({ buffer }: Uint32Array | Uint16Array) => new Uint8Array(buffer as ArrayBuffer);
  return {
    outlierRows: bytes(Uint32Array.from(rows)),
    outlierColumns: bytes(Uint16Array.from(columns)),
    outlierValues: encodeFloats(values, 'f16'),
  };
}

/** A weight [n, k] of these bytes, which lie behind three others, so that nothing is aligned by chance. */
export function weightOf(
  format: WeightFormat,
  n: number,
  k: number,
  bytesOf: (shape: PartShape) => Uint8Array,
): Weight {
  const parts = codecOf(format)
    .parts(format, n, k)
    .map((shape): Part => {
      const bytes = bytesOf(shape);
      const file = new Uint8Array(bytes.length + 3);
      file.set(bytes, 3);
      const name = `w.${shape.suffix}`;
      return { ...shape, name, source: memorySource(name, file), offset: 3, bytes: bytes.length };
    });
  return { path: 'w', shape: [n, k], format, parts: parts as [Part, ...Part[]] };
}

function partOf(format: WeightFormat, shape: PartShape, random: TestRandom): Uint8Array {
  const count = shape.shape.reduce((a, b) => a * b);
  const type = format.float ?? format.scale?.dtype ?? 'f32';
  const groups = () =>
    format.scale!.super ? counts(count, random) : floats(count, 0.02, type, random);
  const make: Readonly<Partial<Record<Role, () => ArrayBufferView>>> = {
    codes: () =>
      format.float ? floats(count, 1, type, random) : codes(format.bits, shape, random),
    scales: () => groups(),
    biases: () => groups(),
    scaleSteps: () => floats(count, 0.0004, type, random),
    biasSteps: () => floats(count, 0.0004, type, random),
    lut: () => tables(count, format, random),
  };
  const { buffer, byteOffset, byteLength } = make[shape.role]!();
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}

/** Every third row is all extremes. */
function codes(bits: number, shape: PartShape, random: TestRandom): Uint8Array {
  const limit = 2 ** bits;
  const bytes = partBytes(shape);
  const count = Math.ceil(bytes / bits) * 8;
  // A stream has no rows.
  const perRow = shape.streamBits ? 32 : count / shape.shape[0]!;
  const drawn = Uint8Array.from({ length: count }, (_, i) => {
    return Math.floor(i / perRow) % 3 === 2 ? random.below(2) * (limit - 1) : random.below(limit);
  });
  return packBits(drawn, bits).subarray(0, bytes);
}

/** Every ninth is zero. */
function floats(count: number, size: number, type: 'f32' | 'f16' | 'bf16', random: TestRandom) {
  const draw = () => (random.below(9) === 0 ? 0 : random.normal() * size);
  return stored(Float32Array.from({ length: count }, draw), type).bits;
}

/** Every fifth is an extreme. */
function counts(count: number, random: TestRandom): Int8Array {
  return Int8Array.from({ length: count }, (_, i) =>
    i % 5 === 0 ? 127 - 255 * random.below(2) : random.below(256) - 128,
  );
}

/** Every other table is all extremes: of integers; of floats, sizes that have a square in float32. */
function tables(count: number, { bits, lut }: WeightFormat, random: TestRandom): Uint8Array {
  const { entry, dim } = lut!;
  const most = 2 ** (entryBits(entry) - 1);
  const isFloat = entryBits(entry) === 0;
  const values = Array.from({ length: count }, (_, i) => {
    const isExtreme = Math.floor(i / dim / 2 ** bits) % 2 === 0;
    if (isFloat) return random.normal() * (isExtreme ? 10 ** (random.below(9) - 4) : 0.02);
    if (isExtreme) return random.below(2) === 0 ? -most : most - 1;
    return random.below(2 * most) - most;
  });
  return encodeEntries(values, entry);
}
