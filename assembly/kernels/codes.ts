// Codes of 1 to 8 bits as they lie in a panel. A block of 8 rows x 32 k is two halves, rows 0-3 and rows 4-7, of
// 16 * bits bytes each. Quad j of a half is a vector of 4 rows x 4 k: byte 4 r + i has row r, k = 4 j + i. The bits
// of its codes lie in planes, the lowest bits in the first:
//
//   8 bits   16 bytes a quad
//   4 bits   16 bytes for every two quads: quad j is shifted left by 4 (j % 2)
//   2 bits   16 bytes for every four: by 2 (j % 4)
//   1 bit    16 bytes for all eight: by j
//
// A width has the planes that its binary digits name: 6 bits are 64 bytes of low nibbles, then 32 bytes of the two
// bits above them.

/** Masks of a byte's bit `to`, for to 0 to 6; then of the two bits from 0 on, and from 4 on; then of four. */
const MASKS = memory.data<u64>(
  [
    0x0101010101010101, 0x0101010101010101, 0x0202020202020202, 0x0202020202020202,
    0x0404040404040404, 0x0404040404040404, 0x0808080808080808, 0x0808080808080808,
    0x1010101010101010, 0x1010101010101010, 0x2020202020202020, 0x2020202020202020,
    0x4040404040404040, 0x4040404040404040, 0x0303030303030303, 0x0303030303030303,
    0x3030303030303030, 0x3030303030303030, 0x0f0f0f0f0f0f0f0f, 0x0f0f0f0f0f0f0f0f,
  ],
  16,
);
const TWO_BITS: usize = 112;
const FOUR_BITS: usize = 144;

export class Codes {
  /**
   * Quad j of the half at `w`, a code a byte. Inlined by the compiler itself: with a width and j that it knows, what
   * is left is the shifts and masks they take.
   */
  @inline static quad(w: usize, bits: u32, j: u32): v128 {
    if (bits == 8) return v128.load(w + ((<usize>j) << 4));
    let codes = i8x16.splat(0);
    let below: u32 = 0;
    if (bits & 4) {
      const plane = v128.load(w + ((<usize>(j >> 1)) << 4));
      codes = v128.and(j & 1 ? i16x8.shr_u(plane, 4) : plane, v128.load(MASKS + FOUR_BITS));
      w += 64;
      below = 4;
    }
    if (bits & 2) {
      const plane = v128.load(w + ((<usize>(j >> 2)) << 4));
      const mask = v128.load(MASKS + TWO_BITS + ((<usize>below) << 2));
      codes = v128.or(codes, v128.and(moved(plane, (j & 3) << 1, below), mask));
      w += 32;
      below += 2;
    }
    if (bits & 1) {
      const mask = v128.load(MASKS + ((<usize>below) << 4));
      codes = v128.or(codes, v128.and(moved(v128.load(w), j, below), mask));
    }
    return codes;
  }
}

/** Bits of every byte moved from place `from` to place `to`; bits of other bytes may come in beside them. */
function moved(plane: v128, from: u32, to: u32): v128 {
  if (from == to) return plane;
  return from > to ? i16x8.shr_u(plane, from - to) : i16x8.shl(plane, to - from);
}

/** The code of row `row` (0 to 7), k = i, in the block at `w`. */
export function code_at(w: usize, bits: u32, row: u32, i: u32): u32 {
  const j = i >> 2;
  let at = w + place_of(bits, row, i);
  if (bits == 8) return load<u8>(at + ((<usize>j) << 4));
  let code: u32 = 0;
  let below: u32 = 0;
  if (bits & 4) {
    code = (<u32>load<u8>(at + ((<usize>(j >> 1)) << 4)) >> ((j & 1) << 2)) & 15;
    at += 64;
    below = 4;
  }
  if (bits & 2) {
    code |= ((<u32>load<u8>(at + ((<usize>(j >> 2)) << 4)) >> ((j & 3) << 1)) & 3) << below;
    at += 32;
    below += 2;
  }
  if (bits & 1) code |= ((<u32>load<u8>(at) >> j) & 1) << below;
  return code;
}

/** Writes a code into a block of zeros: the reverse of `code_at`. */
export function store_code(w: usize, bits: u32, row: u32, i: u32, code: u32): void {
  const j = i >> 2;
  let at = w + place_of(bits, row, i);
  if (bits == 8) return store<u8>(at + ((<usize>j) << 4), <u8>code);
  if (bits & 4) {
    add_bits(at + ((<usize>(j >> 1)) << 4), (code & 15) << ((j & 1) << 2));
    at += 64;
    code >>= 4;
  }
  if (bits & 2) {
    add_bits(at + ((<usize>(j >> 2)) << 4), (code & 3) << ((j & 3) << 1));
    at += 32;
    code >>= 2;
  }
  if (bits & 1) add_bits(at, code << j);
}

/** Where in its block a row's byte of quad 0 lies. */
function place_of(bits: u32, row: u32, i: u32): usize {
  return (((<usize>row >> 2) * bits) << 4) + ((row & 3) << 2) + (i & 3);
}

function add_bits(at: usize, bits: u32): void {
  store<u8>(at, load<u8>(at) | <u8>bits);
}
