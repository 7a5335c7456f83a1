// Codes of 1 to 8 bits as one stream, least significant bit first. 32 codes fill whole bytes at any width, so
// every row begins at one.

/** Packs codes, one a byte. @param codes a multiple of 8 of them, each below 2^bits */
export function packBits(codes: Uint8Array, bits: number): Uint8Array {
  if (bits === 8) return codes;
  const packed = new Uint8Array((codes.length * bits) / 8);
  let word = 0;
  let held = 0;
  let at = 0;
  for (const code of codes) {
    word |= code << held;
    held += bits;
    for (; held >= 8; held -= 8, word >>>= 8) packed[at++] = word & 255;
  }
  return packed;
}

/** Codes that come in pieces of any length. */
export class BitStream {
  readonly #bits: number;
  /** Fewer than 8, which do not fill whole bytes yet. */
  #rest = new Uint8Array(0);
  count = 0;

  constructor(bits: number) {
    this.#bits = bits;
  }

  /** Adds codes, one a byte. @returns the bytes that are full */
  append(codes: Uint8Array): Uint8Array {
    this.count += codes.length;
    if (this.#rest.length === 0 && codes.length % 8 === 0) return packBits(codes, this.#bits);
    const all = new Uint8Array(this.#rest.length + codes.length);
    all.set(this.#rest);
    all.set(codes, this.#rest.length);
    const whole = all.length - (all.length % 8);
    this.#rest = all.slice(whole);
    return packBits(all.subarray(0, whole), this.#bits);
  }

  /** The bytes of what is left; bits behind it are 0. */
  end(): Uint8Array {
    const last = new Uint8Array(8);
    last.set(this.#rest);
    return packBits(last, this.#bits).subarray(0, Math.ceil((this.#rest.length * this.#bits) / 8));
  }
}

/** The first `count` codes of a stream behind `skipped` bits (0 to 7; none of 8-bit codes), one a byte. */
export function unpackBits(
  stream: Uint8Array,
  bits: number,
  count: number,
  skipped = 0,
): Uint8Array {
  if (bits === 8) return stream.subarray(0, count);
  const codes = new Uint8Array(count);
  const mask = 2 ** bits - 1;
  let word = skipped === 0 ? 0 : stream[0]! >> skipped;
  let held = skipped === 0 ? 0 : 8 - skipped;
  let at = skipped === 0 ? 0 : 1;
  for (let i = 0; i < count; i++) {
    for (; held < bits; held += 8) word |= stream[at++]! << held;
    codes[i] = word & mask;
    word >>>= bits;
    held -= bits;
  }
  return codes;
}
