// safetensors: u64 header length, header as JSON, then the bytes of the tensors, without gap or
// overlap.
//
//   { "__metadata__": { key: string }, name: { "dtype": "F16", "shape": [n, k], "data_offsets": [begin, end] } }
//
// Offsets count from the end of the header. Everything a header claims is checked before a byte is
// used.

import { FormatError } from '../errors.js';
import { describe, isJsonObject } from './json_fields.js';
import { parseUniqueKeys } from './json_keys.js';
import { refuseOtherFormats } from './other_formats.js';
import { decodeUtf8 } from './utf8.js';
import type { ByteSource } from './weight.js';

const LENGTH_BYTES = 8;
/** The limit of the format's own library; a header larger than this is damage, not a model. */
const MAX_HEADER_BYTES = 100_000_000;

/** Bits of one element. */
const DTYPE_BITS: ReadonlyMap<string, number> = new Map([
  ['F4', 4],
  ['F6_E2M3', 6],
  ['F6_E3M2', 6],
  ['BOOL', 8],
  ['U8', 8],
  ['I8', 8],
  ['F8_E4M3', 8],
  ['F8_E5M2', 8],
  ['F8_E8M0', 8],
  ['U16', 16],
  ['I16', 16],
  ['F16', 16],
  ['BF16', 16],
  ['U32', 32],
  ['I32', 32],
  ['F32', 32],
  ['U64', 64],
  ['I64', 64],
  ['F64', 64],
  ['C64', 64],
]);

/** One tensor of a file: bytes [offset, offset + bytes) of `source`. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly source: ByteSource;
  readonly offset: number;
  readonly bytes: number;
}

export interface SafetensorsFile {
  readonly tensors: ReadonlyMap<string, StoredTensor>;
  /** The strings of `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Reads and checks the header.
 * @throws FormatError with the file, the tensor and both numbers; SourceError if the file cannot be
 *   read.
 */
export async function readSafetensors(
  source: ByteSource,
  signal?: AbortSignal,
): Promise<SafetensorsFile> {
  const { name, size } = source;
  if (size < LENGTH_BYTES) {
    throw new FormatError(`[${name}] ${size} bytes, expected at least ${LENGTH_BYTES}`);
  }
  const head = new Uint8Array(LENGTH_BYTES);
  await source.read(0, head, signal);
  const claimed = new DataView(head.buffer).getBigUint64(0, true);
  const limit = Math.min(size - LENGTH_BYTES, MAX_HEADER_BYTES);
  if (claimed > BigInt(limit)) {
    await refuseOtherFormats(source, signal);
    const room = `at most ${limit} (file of ${size} bytes, limit ${MAX_HEADER_BYTES})`;
    throw new FormatError(`[${name}] header of ${claimed} bytes, expected ${room}`);
  }
  const text = new Uint8Array(Number(claimed));
  await source.read(LENGTH_BYTES, text, signal);
  const headerName = `${name}: header`;
  const header = parseUniqueKeys(decodeUtf8(text, headerName), headerName);
  const dataOffset = LENGTH_BYTES + text.length;
  const metadata = parseMetadata(name, header['__metadata__']);
  const tensors: StoredTensor[] = [];
  for (const [tensor, entry] of Object.entries(header)) {
    if (tensor !== '__metadata__') tensors.push(parseTensor(source, dataOffset, tensor, entry));
  }
  checkCoverage(source, dataOffset, tensors);
  return {
    tensors: new Map(tensors.map((tensor) => [tensor.name, tensor])),
    metadata,
  };
}

/** JSON of a header for tensors that follow one another in this order. */
export function encodeHeader(
  tensors: Iterable<Pick<StoredTensor, 'name' | 'dtype' | 'shape' | 'bytes'>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const entries: [string, unknown][] = [['__metadata__', metadata]];
  let offset = 0;
  for (const { name, dtype, shape, bytes } of tensors) {
    entries.push([name, { dtype, shape, data_offsets: [offset, offset + bytes] }]);
    offset += bytes;
  }
  return new TextEncoder().encode(JSON.stringify(Object.fromEntries(entries)));
}

function parseMetadata(name: string, metadata: unknown): ReadonlyMap<string, string> {
  if (metadata === undefined) return new Map();
  if (!isJsonObject(metadata)) {
    throw new FormatError(`[${name}] __metadata__: expected an object, came ${describe(metadata)}`);
  }
  const strings = new Map<string, string>();
  for (const [key, value] of Object.entries(metadata)) {
    if (typeof value !== 'string') {
      const came = describe(value);
      throw new FormatError(`[${name}] __metadata__.${key}: expected a string, came ${came}`);
    }
    strings.set(key, value);
  }
  return strings;
}

function parseTensor(
  source: ByteSource,
  dataOffset: number,
  name: string,
  entry: unknown,
): StoredTensor {
  const where = `[${source.name}] ${name}`;
  if (!isJsonObject(entry)) {
    throw new FormatError(`${where}: expected an object, came ${describe(entry)}`);
  }
  const { dtype, shape, data_offsets: offsets } = entry;
  const bits = typeof dtype === 'string' ? DTYPE_BITS.get(dtype) : undefined;
  if (typeof dtype !== 'string' || bits === undefined) {
    throw new FormatError(`${where}: unknown dtype ${describe(dtype)}`);
  }
  if (!isSizes(shape)) {
    const expected = 'expected an array of non-negative integers';
    throw new FormatError(`${where}: shape ${describe(shape)}, ${expected}`);
  }
  if (!isSizes(offsets) || offsets.length !== 2) {
    const expected = 'expected two non-negative integers';
    throw new FormatError(`${where}: data_offsets ${describe(offsets)}, ${expected}`);
  }
  const [begin, end] = offsets as [number, number];
  if (begin > end) {
    throw new FormatError(`${where}: data_offsets are reversed, ${begin} before ${end}`);
  }
  const dataBytes = source.size - dataOffset;
  if (end > dataBytes) {
    throw new FormatError(`${where}: ends at byte ${end}, the file has ${dataBytes} bytes of data`);
  }
  const expected = (shape.reduce((product, length) => product * length, 1) * bits) / 8;
  if (end - begin !== expected) {
    const needs = `${dtype} [${shape.join(', ')}] needs ${expected}`;
    throw new FormatError(`${where}: ${end - begin} bytes, ${needs}`);
  }
  return {
    name,
    dtype,
    shape,
    source,
    offset: dataOffset + begin,
    bytes: end - begin,
  };
}

/** Every byte of the data belongs to exactly one tensor. */
function checkCoverage(
  source: ByteSource,
  dataOffset: number,
  tensors: readonly StoredTensor[],
): void {
  const sorted = [...tensors].sort((a, b) => a.offset - b.offset || a.bytes - b.bytes);
  let end = dataOffset;
  let previous = 'the header';
  for (const { name, offset, bytes } of sorted) {
    const [begin, expected] = [offset - dataOffset, end - dataOffset];
    if (begin < expected) {
      const overlap = `begins at byte ${begin}, inside ${previous}, which ends at ${expected}`;
      throw new FormatError(`[${source.name}] ${name}: ${overlap}`);
    }
    if (begin > expected) {
      const hole = `begins at byte ${begin}, expected ${expected}, the end of ${previous}`;
      throw new FormatError(`[${source.name}] ${name}: ${hole}`);
    }
    end = offset + bytes;
    previous = name;
  }
  if (end !== source.size) {
    const last = `${previous} ends at byte ${end} of the file`;
    throw new FormatError(`[${source.name}] ${source.size} bytes, but ${last}`);
  }
}

function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
