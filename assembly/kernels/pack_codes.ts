// From a checkpoint's codes to the panels that code_panel.ts draws.

import { BLOCK, PACKED_PANEL, PACKED_SCALE_ROWS, PACKED_TABLE_ROWS, PANEL } from '../op_layout';
import { bits_of, block_at, dim_of, has_scales, is_palette, panel_at } from './code_panel';
import { store_code } from './codes';
import { pack_scales } from './pack_scales';

/**
 * Packs `rows` rows into consecutive panels at `to`; a last panel of fewer rows is filled with zeros.
 * codes: bit stream [rows / dim, blocks * 4 * bits bytes], least significant bit first. scales, biases: S [rows, groups],
 * or of two levels i8, with steps S [rows, steps]; where rows share a scale, [1 ...], the first being that of the first
 * row; luts: i8 [1 ..., 2^bits] likewise, or 0. Returns the first row with a scale or bias that is not finite, or -1.
 */
export function pack_codes<S>(
  packed: usize,
  to: usize,
  codes: usize,
  scales: usize,
  biases: usize,
  luts: usize,
  scaleSteps: usize,
  biasSteps: usize,
  rows: u32,
  k: u32,
): i32 {
  const bits = bits_of(packed);
  const dim = dim_of(packed);
  const blocks = (k + BLOCK - 1) / BLOCK;
  const panelBytes: usize = load<u32>(packed, PACKED_PANEL);
  const first = <u32>((to - panel_at(packed, 0)) / panelBytes) * PANEL;
  const takesEntries = luts != 0 && !is_palette(packed);
  memory.fill(to, 0, <usize>((rows + PANEL - 1) / PANEL) * panelBytes);
  for (let row: u32 = 0; row < rows; row++) {
    const panel = to + <usize>(row / PANEL) * panelBytes;
    if (row % dim == 0) {
      const stream = codes + <usize>(row / dim) * blocks * bits * 4;
      const table =
        luts + ((<usize>shared_by(load<u32>(packed, PACKED_TABLE_ROWS), first, row)) << 8);
      if (takesEntries) pack_entries(packed, panel, stream, table, row % PANEL, blocks);
      else pack_row(packed, panel, stream, dim, (row % PANEL) / dim, blocks);
    }
    if (!has_scales(packed)) continue;
    const lane = row % PANEL;
    const from = shared_by(load<u32>(packed, PACKED_SCALE_ROWS), first, row);
    if (!pack_scales<S>(packed, panel, scales, biases, scaleSteps, biasSteps, lane, from, k))
      return <i32>row;
  }
  return -1;
}

/** Codes of one row to their places in its panel, `lane` of its rows of codes. */
function pack_row(
  packed: usize,
  panel: usize,
  stream: usize,
  dim: u32,
  lane: u32,
  blocks: u32,
): void {
  const bits = bits_of(packed);
  const mask = ((<u32>1) << bits) - 1;
  let word: u32 = 0;
  let held: u32 = 0;
  for (let b: u32 = 0; b < blocks; b++) {
    const block = block_at(packed, panel, b / dim);
    const row = (b % dim) * (PANEL / dim) + lane;
    for (let i: u32 = 0; i < <u32>BLOCK; i++) {
      for (; held < bits; held += 8) word |= (<u32>load<u8>(stream++)) << held;
      store_code(block, bits, row, i, word & mask);
      word >>= bits;
      held -= bits;
    }
  }
}

/** Entries of a table of 256 in place of a row's indices, as codes of 8 bits: 128 is zero. */
function pack_entries(
  packed: usize,
  panel: usize,
  indices: usize,
  table: usize,
  lane: u32,
  blocks: u32,
): void {
  for (let b: u32 = 0; b < blocks; b++) {
    const w = block_at(packed, panel, b);
    for (let i: u32 = 0; i < <u32>BLOCK; i++, indices++) {
      store_code(w, 8, lane, i, load<u8>(table + load<u8>(indices)) ^ 0x80);
    }
  }
}

/** Of what serves `rows` rows (0: all): which is row `first + row`'s, counted from row `first`'s. */
export function shared_by(rows: u32, first: u32, row: u32): u32 {
  return rows == 0 ? 0 : (first + row) / rows - first / rows;
}
