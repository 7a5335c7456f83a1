// What a tile of matmul_tile is filled with: the block of 8 rows x 32 k at `w` as bytes, 32 of each quad of k, of which
// byte 4 r + i has row r, k = 4 j + i:
//
//   with PACKED_U7, 0 to 127 as the exact dot takes them: codes, or entries + 64
//   else -128 to 127: codes of 8 bits less 128, or entries

import { PACKED_TABLE_ROWS, PACKED_U7, PANEL } from '../op_layout';
import { bits_of, is_palette, table_at, zero_of } from './code_panel';
import { Codes } from './codes';
import { look_up, u7_entries } from './look_up';
import { Bits1, Bits2, Bits3, Bits4, Bits5, Bits6 } from './widths';

export function is_u7(packed: usize): bool {
  return load<u32>(packed, PACKED_U7) != 0;
}

/** What of a tile means zero. */
export function tile_zero(packed: usize): i32 {
  if (is_palette(packed)) return is_u7(packed) ? 64 : 0;
  return zero_of(packed) - (is_u7(packed) ? 0 : 128);
}

export function unpack_block(tile: usize, w: usize, packed: usize, panel: u32): void {
  unpack_quads(tile, w, bits_of(packed), is_palette(packed) ? 0 : 0x80);
  if (is_palette(packed)) look_up_tile(tile, packed, panel);
}

/** The codes of the block alone. flip: bits of codes of 8 that change. */
export function unpack_quads(tile: usize, w: usize, bits: u32, flip: i32): void {
  if (bits == 1) unpack<Bits1>(tile, w);
  else if (bits == 2) unpack<Bits2>(tile, w);
  else if (bits == 3) unpack<Bits3>(tile, w);
  else if (bits == 4) unpack<Bits4>(tile, w);
  else if (bits == 5) unpack<Bits5>(tile, w);
  else if (bits == 6) unpack<Bits6>(tile, w);
  else unpack_bytes(tile, w, flip);
}

function unpack<Width>(tile: usize, w: usize): void {
  const bits = changetype<Width>(0).value();
  for (const end = tile + 32; tile < end; tile += 16, w += bits << 4) {
    v128.store(tile, Codes.quad(w, bits, 0));
    v128.store(tile, Codes.quad(w, bits, 1), 32);
    v128.store(tile, Codes.quad(w, bits, 2), 64);
    v128.store(tile, Codes.quad(w, bits, 3), 96);
    v128.store(tile, Codes.quad(w, bits, 4), 128);
    v128.store(tile, Codes.quad(w, bits, 5), 160);
    v128.store(tile, Codes.quad(w, bits, 6), 192);
    v128.store(tile, Codes.quad(w, bits, 7), 224);
  }
}

function unpack_bytes(tile: usize, w: usize, flip: i32): void {
  const flips = i8x16.splat(<i8>flip);
  for (const end = tile + 256; tile < end; tile += 32, w += 16) {
    v128.store(tile, v128.xor(v128.load(w), flips));
    v128.store(tile, v128.xor(v128.load(w, 128), flips), 16);
  }
}

/** Entries in place of their indices. */
export function look_up_tile(tile: usize, packed: usize, panel: u32): void {
  const bits = bits_of(packed);
  const isShared = is_u7(packed) && load<u32>(packed, PACKED_TABLE_ROWS) % 4 == 0;
  for (let half: u32 = 0; half < 2; half++, tile += 16) {
    const row = panel * PANEL + half * 4;
    if (isShared && bits <= 4) look_up_half<Bits4>(tile, table_at(packed, row));
    else if (isShared && bits == 6) look_up_half<Bits6>(tile, table_at(packed, row));
    else look_up_rows(tile, packed, row);
  }
}

/** 4 rows that share a table. */
function look_up_half<Width>(at: usize, table: usize): void {
  const bits = changetype<Width>(0).value();
  const lut0 = u7_entries(table);
  const lut1 = bits == 4 ? lut0 : u7_entries(table + 16);
  const lut2 = bits == 4 ? lut0 : u7_entries(table + 32);
  const lut3 = bits == 4 ? lut0 : u7_entries(table + 48);
  for (const end = at + 256; at < end; at += 32) {
    v128.store(at, look_up(bits, v128.load(at), lut0, lut1, lut2, lut3));
  }
}

function look_up_rows(at: usize, packed: usize, row: u32): void {
  const offset: i32 = is_u7(packed) ? 64 : 0;
  for (let r: u32 = 0; r < 4; r++) {
    look_up_row(at + ((<usize>r) << 2), table_at(packed, row + r), offset);
  }
}

function look_up_row(at: usize, table: usize, offset: i32): void {
  for (const end = at + 256; at < end; at += 32) {
    for (let i: usize = 0; i < 4; i++) {
      store<u8>(at + i, <u8>(<i32>load<i8>(table + load<u8>(at + i)) + offset));
    }
  }
}
