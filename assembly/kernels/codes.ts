// Codes of 1 to 8 bits as they lie in a panel. A block of 8 rows x 32 k is two halves, rows 0-3 and rows 4-7, each of
// as many planes of 16 bytes as a code has bits. Quad j of a half is a vector of 4 rows x 4 k: byte 4 r + i has row r,
// k = 4 j + i. Quads lie whole, as many beside each other as a byte has room for: quad j in plane j % bits, from bit
// bits * (j / bits) on. What is left of 3, 5 and 6 bits is put together from the bits above those (plane.bits):
//
//   3 bits   quad 6: 0.67 1.6    quad 7: 2.67 1.7
//   5 bits   quad 5: 0.567 3.56  quad 6: 1.567 4.56  quad 7: 2.567 3.7 4.7
//   6 bits   quad 6: 0.67 1.67 2.67                  quad 7: 3.67 4.67 5.67

/** In memory: a literal would be built anew at each use. Of codes of 1 to 6 bits; then of parts. */
const MASKS = memory.data<u64>(
  [
    0x0101010101010101, 0x0101010101010101, 0x0303030303030303, 0x0303030303030303,
    0x0707070707070707, 0x0707070707070707, 0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f,
    0x1f1f1f1f1f1f1f1f, 0x1f1f1f1f1f1f1f1f, 0x3f3f3f3f3f3f3f3f, 0x3f3f3f3f3f3f3f3f,
    0x0404040404040404, 0x0404040404040404, 0x0808080808080808, 0x0808080808080808,
    0x0c0c0c0c0c0c0c0c, 0x0c0c0c0c0c0c0c0c, 0x1010101010101010, 0x1010101010101010,
    0x1818181818181818, 0x1818181818181818, 0x3030303030303030, 0x3030303030303030,
  ],
  16,
);
const BITS_2 = 96;
const BITS_3 = 112;
const BITS_23 = 128;
const BITS_4 = 144;
const BITS_34 = 160;
const BITS_45 = 176;

export class Codes {
  // Inlined by the compiler itself: with a width and j that it knows, what is left is the shifts and masks they take.

  /** Quad j of the half at `w`, a code a byte. */
  @inline static quad(w: usize, bits: u32, j: u32): v128 {
    if (bits == 8) return v128.load(w + ((<usize>j) << 4));
    const p0 = v128.load(w);
    const p1 = bits > 1 ? v128.load(w, 16) : p0;
    const p2 = bits > 2 ? v128.load(w, 32) : p0;
    const p3 = bits > 3 ? v128.load(w, 48) : p0;
    const p4 = bits > 4 ? v128.load(w, 64) : p0;
    const p5 = bits > 5 ? v128.load(w, 80) : p0;
    return Codes.of(bits, j, Codes.mask(bits), p0, p1, p2, p3, p4, p5);
  }

  /** Mask of a code. */
  @inline static mask(bits: u32): v128 {
    return v128.load(MASKS + ((<usize>(bits - 1)) << 4));
  }

  /** Quad j of a half's planes; up to 6 bits. */
  @inline static of(
    bits: u32,
    j: u32,
    mask: v128,
    p0: v128,
    p1: v128,
    p2: v128,
    p3: v128,
    p4: v128,
    p5: v128,
  ): v128 {
    const shift = bits * (j / bits);
    if (shift + bits <= 8) {
      const i = j % bits;
      const plane = i == 0 ? p0 : i == 1 ? p1 : i == 2 ? p2 : i == 3 ? p3 : i == 4 ? p4 : p5;
      return v128.and(shift == 0 ? plane : i16x8.shr_u(plane, shift), mask);
    }
    if (bits == 3) {
      if (j == 6) return v128.or(part(p0, 6, 16), part(p1, 4, BITS_2));
      return v128.or(part(p2, 6, 16), part(p1, 5, BITS_2));
    }
    if (bits == 6) {
      if (j == 6)
        return v128.or(v128.or(part(p0, 6, 16), part(p1, 4, BITS_23)), part(p2, 2, BITS_45));
      return v128.or(v128.or(part(p3, 6, 16), part(p4, 4, BITS_23)), part(p5, 2, BITS_45));
    }
    if (j == 5) return v128.or(part(p0, 5, 32), part(p3, 2, BITS_34));
    if (j == 6) return v128.or(part(p1, 5, 32), part(p4, 2, BITS_34));
    return v128.or(v128.or(part(p2, 5, 32), part(p3, 4, BITS_3)), part(p4, 3, BITS_4));
  }
}

/** Bits of every byte, moved down; bits of other bytes come in beside them. */
function part(plane: v128, down: i32, mask: usize): v128 {
  return v128.and(i16x8.shr_u(plane, down), v128.load(MASKS + mask));
}

/** The code of row `row` (0 to 7), k = i, in the block at `w`. */
export function code_at(w: usize, bits: u32, row: u32, i: u32): u32 {
  const j = i >> 2;
  const at = w + place_of(bits, row, i);
  const shift = bits * (j / bits);
  if (shift + bits <= 8) {
    return (<u32>load<u8>(at + ((<usize>(j % bits)) << 4)) >> shift) & ((1 << bits) - 1);
  }
  let code: u32 = 0;
  for (let bit: u32 = 0; bit < bits; bit++) {
    const from = bit_of(bits, j, bit);
    code |= ((<u32>load<u8>(at + ((<usize>(from >> 3)) << 4)) >> (from & 7)) & 1) << bit;
  }
  return code;
}

/** Writes a code into a block of zeros: the reverse of `code_at`. */
export function store_code(w: usize, bits: u32, row: u32, i: u32, code: u32): void {
  const j = i >> 2;
  const at = w + place_of(bits, row, i);
  const shift = bits * (j / bits);
  if (shift + bits <= 8) return add_bits(at + ((<usize>(j % bits)) << 4), code << shift);
  for (let bit: u32 = 0; bit < bits; bit++) {
    const to = bit_of(bits, j, bit);
    add_bits(at + ((<usize>(to >> 3)) << 4), ((code >> bit) & 1) << (to & 7));
  }
}

/** Where in its block a row's byte of plane 0 lies. */
function place_of(bits: u32, row: u32, i: u32): usize {
  return (((<usize>row >> 2) * bits) << 4) + ((row & 3) << 2) + (i & 3);
}

/** Where a bit of quad j lies, which is put together: 8 times its plane, and its place there. */
function bit_of(bits: u32, j: u32, bit: u32): u32 {
  if (bits == 3) return bit == 2 ? 8 + j : (j == 6 ? 0 : 16) + 6 + bit;
  if (bits == 6) return 8 * (3 * (j - 6) + (bit >> 1)) + 6 + (bit & 1);
  if (bit < 3) return 8 * (j - 5) + 5 + bit;
  return j < 7 ? 8 * (j - 2) + 2 + bit : 8 * bit + 7;
}

function add_bits(at: usize, bits: u32): void {
  store<u8>(at, load<u8>(at) | <u8>bits);
}
