// Pruned weights: a bit for each weight, and a float or a code for each whose bit is set; the others are zero.
// Core ML's constexpr_sparse_to_dense, over constexpr_sparse_blockwise_shift_scale or constexpr_lut_to_sparse.
//
//   <path>.nonzeros    U8 [bytes]               the codes' bit stream, row after row without a gap; or floats,
//                      or F32, F16, BF16 [...]
//   <path>.mask        U8 [n, paddedK(k) / 8]   bit i of a row is k = i, lowest first; those behind k are 0
//   <path>.row_starts  U32 [n + 1]              non-zeros before each row, and of all
//   and what linear.ts and palette.ts store beside codes: scales lie as if all weights were there

import { UnsupportedError } from '../errors.js';
import { packBits, unpackBits } from './bits.js';
import type { Codec } from './codec.js';
import { expectOneOf, expectOnlyKeys } from './expect.js';
import { float } from './float.js';
import { paddedK, takesFloats, type WeightFormat } from './format.js';
import { linear } from './linear.js';
import { palette } from './palette_codec.js';
import type { PartShape } from './parts.js';

/** What non-zeros can be, by `type`. */
const VALUES: ReadonlyMap<string, Codec> = new Map(
  [float, linear, palette].map((codec) => [codec.type, codec]),
);

/** @param values what is stored of weights that are not zero */
export function sparseFormat(values: WeightFormat): WeightFormat {
  return { ...values, sparse: { nonZeros: 0 } };
}

/** What `runsSparse` refuses, for messages. */
export const NOT_SPARSE =
  'a mask over codes that a matmul takes with float activations, or with scales of two levels';

/** Whether non-zeros of that format run: floats, and codes with scales of one level that take int8 activations. */
export function runsSparse(values: WeightFormat): boolean {
  return values.float !== undefined || !(takesFloats(values) || values.scale?.super);
}

/** The format of the non-zeros, as if all weights were there. */
export function valuesOf({ sparse: _, ...values }: WeightFormat): WeightFormat {
  return values;
}

function codecOfValues(values: WeightFormat): Codec {
  return [...VALUES.values()].find((codec) => codec.has(values))!;
}

/** Non-zeros that a stream of so many bytes holds. */
export function nonZerosIn(bytes: number, bits: number): number {
  return Math.floor((bytes * 8) / bits);
}

/** The part `starts`, little-endian. */
export function rowStarts(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: bytes.length / 4 }, (_, i) => view.getUint32(4 * i, true));
}

/** The reverse of `rowStarts`. */
export function encodeStarts(starts: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * starts.length);
  const view = new DataView(bytes.buffer);
  for (const [i, start] of starts.entries()) view.setUint32(4 * i, start, true);
  return bytes;
}

export const sparse: Codec = {
  type: 'sparse',
  suffixes: [
    'nonzeros',
    'mask',
    'row_starts',
    ...new Set([...VALUES.values()].flatMap(({ suffixes: [, ...others] }) => others)),
  ],
  has: (format) => format.sparse !== undefined,

  parts(format, n, k): PartShape[] {
    const values = valuesOf(format);
    const { bits } = values;
    const { nonZeros } = format.sparse!;
    const [codes, ...others] = codecOfValues(values).parts(values, n, k);
    const stream = values.float
      ? { dtype: codes!.dtype, shape: [nonZeros] }
      : { dtype: 'U8', shape: [Math.ceil((nonZeros * bits) / 8)] };
    return [
      { role: 'codes', suffix: 'nonzeros', ...stream, serves: n, streamBits: bits },
      { role: 'mask', suffix: 'mask', dtype: 'U8', shape: [n, paddedK(k) / 8], serves: 1 },
      { role: 'starts', suffix: 'row_starts', dtype: 'U32', shape: [n + 1], serves: 1 },
      ...others,
    ];
  },

  decode(format, bytes, begin, end, k) {
    const values = valuesOf(format);
    const mask = unpackBits(bytes.mask!, 1, (end - begin) * paddedK(k));
    const starts = rowStarts(bytes.starts!);
    const stored = { stream: bytes.codes!, first: starts[0]!, count: starts.at(-1)! - starts[0]! };
    const codes = values.float
      ? scatteredFloats(stored, values.bits / 8, mask, k)
      : scatteredCodes(stored, values.bits, mask);
    const all = codecOfValues(values).decode(values, { ...bytes, codes }, begin, end, k);
    // A code of a weight that is not there would mean some number.
    return all.map((w, i) => (mask[placeOf(i, k)] ? w : 0));
  },

  name: (format) => `sparse-${codecOfValues(format).name(valuesOf(format))}`,

  toJson(format) {
    const values = valuesOf(format);
    const { type, toJson } = codecOfValues(values);
    return { values: { type, ...toJson(values) } };
  },

  parse(fields) {
    expectOnlyKeys(fields, ['type', 'values', 'in_features'], 'sparse weights');
    const values = fields.object('values');
    if (!values) throw fields.wrong('values', 'an object');
    const type = values.string('type');
    expectOneOf(values, 'type', type, [...VALUES.keys()]);
    const format = VALUES.get(type)!.parse(values);
    if (runsSparse(format)) return sparseFormat(format);
    throw new UnsupportedError(`${fields.at('values')}: ${NOT_SPARSE} is not supported yet`);
  },
};

/** Where the i-th of rows of k weights stands among rows of paddedK(k). */
function placeOf(i: number, k: number): number {
  return Math.floor(i / k) * paddedK(k) + (i % k);
}

/** The bytes of the non-zeros that are needed, the first of which is the stream's element `first`. */
interface Stored {
  readonly stream: Uint8Array;
  readonly first: number;
  readonly count: number;
}

/** Codes at their places, as a stream of padded rows. */
function scatteredCodes({ stream, first, count }: Stored, bits: number, mask: Uint8Array) {
  const stored = unpackBits(stream, bits, count, (first * bits) % 8);
  const codes = new Uint8Array(mask.length);
  let next = 0;
  for (const [i, bit] of mask.entries()) if (bit) codes[i] = stored[next++]!;
  return packBits(codes, bits);
}

/** Floats of `size` bytes at their places. */
function scatteredFloats({ stream }: Stored, size: number, mask: Uint8Array, k: number) {
  const out = new Uint8Array((mask.length / paddedK(k)) * k * size);
  let next = 0;
  for (let to = 0; to < out.length; to += size) {
    if (!mask[placeOf(to / size, k)]) continue;
    out.set(stream.subarray(next, next + size), to);
    next += size;
  }
  return out;
}
