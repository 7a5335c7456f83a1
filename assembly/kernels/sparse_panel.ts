// How a sparse matrix lies, where code_panel.ts does not say it: a mask in place of the codes of a panel, and the
// codes (or floats) of the weights that are there apart, panel after panel from PACKED_NONZEROS on.
//
//   mask    [blocks] of 32 bytes, 256 bits, at PACKED_CODES in the panel. Of codes: 16 bits for each vector of 4 rows x
//             4 k, in the order of codes.ts: rows 0-3, then 4-7, quad by quad; bit 4 r + i is row r, k = i.
//             Of floats: 8 bits for each k; bit r is row r.
//           SPARSE_TAIL bytes, of which the last word says where the panel's non-zeros end
//   non-zeros   in the order of the mask's bits. Codes as blocks of BLOCK_CODES codes (codes.ts), in the order in
//             which unpack_codes.ts leaves them; the last block of a panel is filled up. Floats one by one.

import {
  BLOCK_CODES,
  KERNEL_SPARSE_FLOAT,
  PACKED_CODES,
  PACKED_KERNEL,
  PACKED_NONZEROS,
} from '../op_layout';
import { bits_of, panel_at } from './code_panel';
import { EXPANSIONS } from './expansions';
import { unpack_quads } from './unpack_codes';

/** Of a block. */
export const MASK_BYTES: usize = 32;

/** The mask of the first block of the panel at `panelAt`, which is one record. */
export function mask_at(packed: usize, panelAt: usize): usize {
  return panelAt + load<u32>(packed, PACKED_CODES);
}

/** The first non-zero of a panel: behind those of the panel before. */
export function nonzeros_at(packed: usize, panel: u32): usize {
  const first = load<u32>(packed, PACKED_NONZEROS);
  return packed + (panel == 0 ? first : load<u32>(panel_at(packed, panel) - 4));
}

/** Says where the non-zeros of a panel end. */
export function end_nonzeros(packed: usize, panel: u32, end: usize): void {
  store<u32>(panel_at(packed, panel + 1) - 4, <u32>(end - packed));
}

/** The bit of row `row` (0 to 7), k = i, in a block's mask. */
export function bit_of(packed: usize, row: u32, i: u32): u32 {
  if (load<u32>(packed, PACKED_KERNEL) == KERNEL_SPARSE_FLOAT) return (i << 3) + row;
  return ((row >> 2) << 7) + ((i >> 2) << 4) + ((row & 3) << 2) + (i & 3);
}

export function is_there(mask: usize, bit: u32): bool {
  return ((load<u8>(mask + (bit >> 3)) >> (bit & 7)) & 1) != 0;
}

/** Weights of a block that are there, before the one of `bit`. */
export function count_below(mask: usize, bit: u32): u32 {
  let count: u64 = 0;
  for (; bit >= 64; bit -= 64, mask += 8) count += popcnt(load<u64>(mask));
  return <u32>(count + popcnt(load<u64>(mask) & (((<u64>1) << bit) - 1)));
}

/** Row in a block of codes of the non-zero of that index, and its k. */
export function row_of(index: u32): u32 {
  return ((index >> 4) & 1) * 4 + ((index >> 2) & 3);
}

export function k_of_code(index: u32): u32 {
  return ((index >> 5) & 7) * 4 + (index & 3);
}

/** All weights of a block that are there. */
export function count_block(mask: usize): u32 {
  const front = popcnt(load<u64>(mask)) + popcnt(load<u64>(mask, 8));
  return <u32>(front + popcnt(load<u64>(mask, 16)) + popcnt(load<u64>(mask, 24)));
}

/**
 * Writes the codes of a block to `tile` (byte 4 r + i of 32 for each quad j: row r, k = 4 j + i), 0 where no weight is,
 * and to `there`, in the same order, 0xff where one is.
 * unpacked: scratch, 528 bytes. stream: the panel's non-zeros, of which `first` belong to blocks before and `count` to
 * this one.
 */
export function expand_block(
  tile: usize,
  there: usize,
  unpacked: usize,
  mask: usize,
  packed: usize,
  stream: usize,
  first: u32,
  count: u32,
): void {
  const bits = bits_of(packed);
  let from = unpacked + (first % BLOCK_CODES);
  let w = stream + ((<usize>(first / BLOCK_CODES) * bits) << 5);
  for (const last = from + count; unpacked < last; unpacked += BLOCK_CODES, w += bits << 5) {
    unpack_quads(unpacked, w, bits, 0);
  }
  for (const end = tile + 32; tile < end; tile += 16, there += 16) {
    for (let quad: usize = 0; quad < 256; quad += 32, mask += 2) {
      const places = places_of(mask);
      v128.store(tile + quad, i8x16.swizzle(v128.load(from), places));
      v128.store(there + quad, i8x16.ge_s(places, i8x16.splat(0)));
      from += popcnt<u32>(load<u16>(mask));
    }
  }
}

/** For the 16 weights of two bytes of a mask, which of the next non-zeros they are; negative: none. */
function places_of(mask: usize): v128 {
  const low: usize = load<u8>(mask);
  const high: usize = load<u8>(mask, 1);
  const places = v128.load64_lane(
    EXPANSIONS + (high << 3),
    v128.load64_zero(EXPANSIONS + (low << 3)),
    1,
  );
  // The upper 8 go on behind the lower ones; what is negative stays so.
  const behind = i8x16.splat(<i8>popcnt<u32>(<u32>low));
  return i8x16.add(
    places,
    i8x16.shuffle(i8x16.splat(0), behind, 0, 1, 2, 3, 4, 5, 6, 7, 24, 25, 26, 27, 28, 29, 30, 31),
  );
}
