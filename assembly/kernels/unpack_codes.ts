// What a tile of matmul_tile is filled with: the block of 8 rows x 32 k at `w`, as i16, quad by quad 64 bytes, in them
// 16 for every two rows, each with 4 k.

import { PANEL } from '../op_layout';
import { bits_of, is_palette, shares_tables, table_at, zero_of } from './code_panel';
import { Codes } from './codes';

/** Codes less their zero, or the entries that they are indices of. */
export function unpack_block(tile: usize, w: usize, packed: usize, panel: u32): void {
  if (is_palette(packed)) look_up(tile, w, packed, panel);
  else unpack(tile, w, bits_of(packed), zero_of(packed));
}

function unpack(tile: usize, w: usize, bits: u32, zero: i32): void {
  const zeros = i16x8.splat(<i16>zero);
  for (let j: u32 = 0; j < 8; j++, tile += 64) {
    const front = Codes.quad(w, bits, j);
    v128.store(tile, i16x8.sub(i16x8.extend_low_i8x16_u(front), zeros));
    v128.store(tile, i16x8.sub(i16x8.extend_high_i8x16_u(front), zeros), 16);
    const back = Codes.quad(w + ((<usize>bits) << 4), bits, j);
    v128.store(tile, i16x8.sub(i16x8.extend_low_i8x16_u(back), zeros), 32);
    v128.store(tile, i16x8.sub(i16x8.extend_high_i8x16_u(back), zeros), 48);
  }
}

function look_up(tile: usize, w: usize, packed: usize, panel: u32): void {
  const bits = bits_of(packed);
  const row = panel * PANEL;
  const isOne = shares_tables(packed);
  for (let half: u32 = 0; half < 2; half++, w += bits << 4) {
    const first = row + half * 4;
    for (let j: u32 = 0; j < 8; j++) {
      const to = tile + ((<usize>j) << 6) + ((<usize>half) << 5);
      const codes = Codes.quad(w, bits, j);
      if (isOne && bits <= 4) {
        const entries = i8x16.swizzle(v128.load(table_at(packed, row)), codes);
        v128.store(to, i16x8.extend_low_i8x16_s(entries));
        v128.store(to, i16x8.extend_high_i8x16_s(entries), 16);
      } else {
        look_up_each(to, codes, packed, first);
      }
    }
  }
}

/** 4 rows x 4 k, one by one. */
function look_up_each(to: usize, codes: v128, packed: usize, row: u32): void {
  // What is looked up lies where it is written to: 16 codes, then 16 entries twice as wide, from the last one on.
  v128.store(to, codes);
  for (let i: i32 = 15; i >= 0; i--) {
    const table = table_at(packed, row + (i >> 2));
    store<i16>(to + ((<usize>i) << 1), <i16>load<i8>(table + load<u8>(to + i)));
  }
}
