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

/** The first `count` codes of a stream, one a byte. */
export function unpackBits(stream: Uint8Array, bits: number, count: number): Uint8Array {
  if (bits === 8) return stream.subarray(0, count);
  const codes = new Uint8Array(count);
  const mask = 2 ** bits - 1;
  let word = 0;
  let held = 0;
  let at = 0;
  for (let i = 0; i < count; i++) {
    for (; held < bits; held += 8) word |= stream[at++]! << held;
    codes[i] = word & mask;
    word >>>= bits;
    held -= bits;
  }
  return codes;
}
