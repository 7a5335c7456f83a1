// The head of a GGUF file, version 3, little-endian:
//
//   "GGUF", u32 version, u64 tensors, u64 pairs
//   pair:    string key, u32 type, value                  string: u64 length, UTF-8
//   tensor:  string name, u32 rank, u64 sizes[rank], u32 type, u64 offset
//
// The first size of a tensor is that of its innermost dimension. Offsets count from the end of the head;
// head and tensors are padded to whole units of 32 bytes.

/** The default of `general.alignment`. */
const ALIGNMENT = 32;
const VERSION = 3;
const ARRAY = 9;

/** Numbers of the value types. */
const TYPES = { u32: 4, i32: 5, f32: 6, bool: 7, string: 8 } as const;

type ValueType = keyof typeof TYPES;
type Value = number | string | boolean;

export interface GgufPair {
  readonly key: string;
  readonly type: ValueType;
  /** An array is written as one. */
  readonly value: Value | readonly Value[];
}

/** Numbers of the tensor types that are written. */
export const GGUF_F32 = 0;
export const GGUF_Q4_0 = 2;

export interface GgufTensor {
  readonly name: string;
  /** Row-major, outermost first, as everywhere else. */
  readonly shape: readonly number[];
  readonly type: number;
  readonly bytes: number;
}

/** Bytes with padding. */
export function ggufPadded(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

/** All that stands before the first tensor, padded. */
export function ggufHead(pairs: readonly GgufPair[], tensors: readonly GgufTensor[]): Uint8Array {
  const out = new Bytes();
  out.raw(new TextEncoder().encode('GGUF'));
  out.u32(VERSION);
  out.u64(tensors.length);
  out.u64(pairs.length);
  for (const { key, type, value } of pairs) {
    out.string(key);
    out.u32(typeof value === 'object' ? ARRAY : TYPES[type]);
    if (typeof value === 'object') {
      out.u32(TYPES[type]);
      out.u64(value.length);
      for (const one of value) out.value(type, one);
    } else {
      out.value(type, value);
    }
  }
  let offset = 0;
  for (const { name, shape, type, bytes } of tensors) {
    out.string(name);
    out.u32(shape.length);
    for (const size of shape.toReversed()) out.u64(size);
    out.u32(type);
    out.u64(offset);
    offset += ggufPadded(bytes);
  }
  return out.padded();
}

/** Bytes that grow at their end. */
class Bytes {
  #bytes = new Uint8Array(1 << 16);
  #view = new DataView(this.#bytes.buffer);
  #end = 0;

  raw(bytes: Uint8Array): void {
    const at = this.#take(bytes.length);
    this.#bytes.set(bytes, at);
  }

  u32(value: number): void {
    const at = this.#take(4);
    this.#view.setUint32(at, value, true);
  }

  u64(value: number): void {
    const at = this.#take(8);
    this.#view.setBigUint64(at, BigInt(value), true);
  }

  string(text: string): void {
    const bytes = new TextEncoder().encode(text);
    this.u64(bytes.length);
    this.raw(bytes);
  }

  value(type: ValueType, value: Value): void {
    if (type === 'string') return this.string(String(value));
    if (type === 'bool') return this.raw(Uint8Array.of(Number(value)));
    const at = this.#take(4);
    if (type === 'f32') this.#view.setFloat32(at, Number(value), true);
    else this.#view.setInt32(at, Number(value), true);
  }

  padded(): Uint8Array {
    this.#take(ggufPadded(this.#end) - this.#end);
    return this.#bytes.slice(0, this.#end);
  }

  /** @returns where the new bytes begin; all are zero */
  #take(count: number): number {
    const at = this.#end;
    this.#end += count;
    if (this.#end > this.#bytes.length) {
      const grown = new Uint8Array(2 * this.#end);
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}
