// What the entries of a palette's tables may be: in config.json and recipes, in files, and as values.

import { decodeFloats, encodeFloats } from './float_bytes.js';
import type { LutEntry } from './format.js';

interface EntryType {
  readonly entry: LutEntry;
  /** `lut_dtype` in config.json and recipes. */
  readonly word: string;
  /** Of the stored table, as safetensors name it. */
  readonly dtype: string;
  readonly bytes: number;
}

export const LUT_ENTRIES: readonly EntryType[] = [
  { entry: 'i7', word: 'int7', dtype: 'I8', bytes: 1 },
  { entry: 'i8', word: 'int8', dtype: 'I8', bytes: 1 },
  { entry: 'f16', word: 'float16', dtype: 'F16', bytes: 2 },
  { entry: 'f32', word: 'float32', dtype: 'F32', bytes: 4 },
];

export function entryType(entry: LutEntry): EntryType {
  return LUT_ENTRIES.find((type) => type.entry === entry)!;
}

/** The entry type of a `lut_dtype`; undefined for words that name none. */
export function entryOf(word: string): LutEntry | undefined {
  return LUT_ENTRIES.find((type) => type.word === word)?.entry;
}

/** Integers of that many bits; 0: entries are floats. */
export function entryBits(entry: LutEntry): number {
  return { i7: 7, i8: 8, f16: 0, f32: 0 }[entry];
}

/** The values of stored entries. */
export function decodeEntries(bytes: Uint8Array, entry: LutEntry): Float64Array {
  if (entry === 'f16' || entry === 'f32') return decodeFloats(bytes, entry);
  return Float64Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}

/** Entries as they are stored: integers within their bits, or floats rounded to nearest. */
export function encodeEntries(values: ArrayLike<number>, entry: LutEntry): Uint8Array {
  if (entry === 'f16' || entry === 'f32') return encodeFloats(values, entry);
  return new Uint8Array(Int8Array.from(values).buffer);
}

/** The first stored entry of a table that is none: an integer of more bits, or no finite float. */
export function wrongEntry(bytes: Uint8Array, entry: LutEntry) {
  const values = decodeEntries(bytes, entry);
  const most = 2 ** (entryBits(entry) - 1);
  const isInteger = entryBits(entry) > 0;
  const wrong = values.find((value) =>
    isInteger ? value < -most || value >= most : !Number.isFinite(value),
  );
  if (wrong === undefined) return null;
  const integers = `${entryBits(entry)} bits, ${-most} to ${most - 1}`;
  return { came: `entry ${wrong}`, expected: isInteger ? integers : 'a finite number' };
}
