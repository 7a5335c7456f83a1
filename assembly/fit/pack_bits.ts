// Codes of 1 to 7 bits, one a byte, as one stream, least significant bit first (bindings/formats/bits.ts).
//
//   codes   u8 [count]                  each below 2^bits; count is a multiple of 8
//   stream  u8 [count * bits / 8]       may be where the codes are

export function pack_bits(codes: usize, bits: u32, count: u32, stream: usize): void {
  for (let i: u32 = 0; i < count; i += 8, stream += bits) {
    let word: u64 = 0;
    const eight = load<u64>(codes + i);
    for (let j: u32 = 0; j < 8; j++) word |= ((eight >> (8 * j)) & 0xff) << (bits * j);
    for (let j: u32 = 0; j < bits; j++) store<u8>(stream + j, <u8>(word >> (8 * j)));
  }
}
