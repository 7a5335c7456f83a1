// A block of a packed matrix, 8 rows x 32 k, as f32: w = scale * v + bias, product and sum rounded one after the
// other, where v is the code less its zero or the entry that it is the index of. What a format does not have is the
// number that changes nothing: 1, and -0.
//
//   scratch  f32 [32, 8]        the tile: at each k the 8 rows
//            u8  [32, 8 / dim]  the block's codes
//            u8  [8, 32]        codes quad by quad (unpack_codes.ts): of dim blocks, which share one block of codes
//            u8  [4, 16], u32 [8 / dim]   a panel's tables (float_look_up.ts)

import { BLOCK, DTYPE_F16, DTYPE_F32, PANEL } from '../op_layout';
import {
  bits_of,
  block_at,
  dim_of,
  entry_of,
  group_at,
  group_of,
  has_scales,
  is_palette,
  panel_at,
  zero_of,
} from './code_panel';
import { find_tables, is_small, look_up, look_up_small, spread_table } from './float_look_up';
import { put, ToSums, ToTile } from './float_out';
import { biases_at, scales4 } from './group_scales';
import { has_bias } from './operands';
import { unpack_quads } from './unpack_codes';

const CODES: usize = 1024;
const QUADS: usize = CODES + 256;
const PLANES: usize = QUADS + 256;
const TABLES: usize = PLANES + 64;
/** In place of sums, where there is a tile. */
const UNUSED: usize = TABLES + 32;

/** Finds the tables of a panel of a palette. */
export function take_tables(scratch: usize, packed: usize, panel: u32, n: u32): void {
  if (!is_palette(packed)) return;
  if (is_small(packed)) spread_table(scratch + PLANES, packed, panel * PANEL);
  else find_tables(scratch + TABLES, packed, panel * PANEL, n);
}

/** Fills the tile with block b of a panel whose tables were taken: after block b - 1 of the same panel. */
export function fill_tile(scratch: usize, packed: usize, panel: u32, b: u32): void {
  unpack<ToTile>(scratch, packed, panel, b, scratch, scratch + UNUSED);
}

/** Adds block b, likewise, times the 32 values at `x` to 8 sums, as float_rows.ts does: no tile for one row. */
export function add_block(
  scratch: usize,
  packed: usize,
  panel: u32,
  b: u32,
  x: usize,
  sums: usize,
): void {
  unpack<ToSums>(scratch, packed, panel, b, x, sums);
}

/** to: the tile, or x. */
function unpack<Out>(
  scratch: usize,
  packed: usize,
  panel: u32,
  b: u32,
  to: usize,
  sums: usize,
): void {
  const panelAt = panel_at(packed, panel);
  const biases = panelAt + biases_at(packed);
  const hasScales = has_scales(packed);
  const hasBias = has_bias(packed);
  const dim = dim_of(packed);
  if (b % dim == 0) {
    unpack_quads(scratch + QUADS, block_at(packed, panelAt, b / dim), bits_of(packed), 0);
  }
  if (dim == 1) transpose(scratch + CODES, scratch + QUADS);
  else transpose_rows(scratch + CODES, scratch + QUADS, dim, (b % dim) * (PANEL / dim));
  // A block lies in one group, or is two.
  const length: u32 = group_of(packed) == 16 ? 16 : BLOCK;
  for (let i: u32 = 0; i < <u32>BLOCK; i += length) {
    const g = group_at(packed, b * BLOCK + i);
    fill<Out>(
      scratch,
      packed,
      i,
      i + length,
      to,
      sums,
      hasScales ? scales4(packed, panelAt, g, 0) : f32x4.splat(1),
      hasScales ? scales4(packed, panelAt, g, 4) : f32x4.splat(1),
      hasBias ? scales4(packed, biases, g, 0) : f32x4.splat(-0.0),
      hasBias ? scales4(packed, biases, g, 4) : f32x4.splat(-0.0),
    );
  }
}

/** Of every quad byte 4 r + i, row r and k = i, to byte 8 i + r. */
function transpose(to: usize, quads: usize): void {
  for (const end = quads + 256; quads < end; quads += 32, to += 32) {
    const low = v128.load(quads);
    const high = v128.load(quads, 16);
    v128.store(
      to,
      i8x16.shuffle(low, high, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29),
    );
    v128.store(
      to,
      i8x16.shuffle(low, high, 2, 6, 10, 14, 18, 22, 26, 30, 3, 7, 11, 15, 19, 23, 27, 31),
      16,
    );
  }
}

/** Likewise of 4 or 2 rows from `row` on, to as many bytes at each k. */
function transpose_rows(to: usize, quads: usize, dim: u32, row: u32): void {
  const first = quads + ((<usize>row & 4) << 2) + ((<usize>row & 2) << 2);
  for (let j: usize = 0; j < 256; j += 32) {
    if (dim == 2) {
      const quad = v128.load(first + j);
      const rows = i8x16.shuffle(quad, quad, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
      v128.store(to + (j >> 1), rows);
    } else {
      const two = v128.load64_zero(first + j);
      const rows = i8x16.shuffle(two, two, 0, 4, 1, 5, 2, 6, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0);
      v128.store64_lane(to + (j >> 2), rows, 0);
    }
  }
}

/** Of k from `begin` to `end`, an even number. */
function fill<Out>(
  scratch: usize,
  packed: usize,
  begin: usize,
  end: usize,
  to: usize,
  sums: usize,
  lowScale: v128,
  highScale: v128,
  lowBias: v128,
  highBias: v128,
): void {
  const step = changetype<Out>(0).step();
  const entry = entry_of(packed);
  const tables = scratch + TABLES;
  const codes = scratch + CODES + (begin * PANEL) / dim_of(packed);
  const at = to + begin * step;
  const stop = to + end * step;
  if (!is_palette(packed)) {
    subtract_zero<Out>(at, stop, sums, codes, packed, lowScale, highScale, lowBias, highBias);
    return;
  }
  // A palette has no biases.
  if (is_small(packed)) {
    look_up_small<Out>(at, stop, sums, codes, scratch + PLANES, lowScale, highScale);
  } else if (entry == DTYPE_F32) {
    look_up<Out, f32>(at, stop, sums, codes, tables, packed, lowScale, highScale);
  } else if (entry == DTYPE_F16) {
    look_up<Out, i16>(at, stop, sums, codes, tables, packed, lowScale, highScale);
  } else {
    look_up<Out, i8>(at, stop, sums, codes, tables, packed, lowScale, highScale);
  }
}

function subtract_zero<Out>(
  at: usize,
  end: usize,
  sums: usize,
  codes: usize,
  packed: usize,
  lowScale: v128,
  highScale: v128,
  lowBias: v128,
  highBias: v128,
): void {
  const zero = i16x8.splat(<i16>zero_of(packed));
  let low = v128.load(sums);
  let high = v128.load(sums, 16);
  for (; at < end; at += changetype<Out>(0).step(), codes += 8) {
    const q = i16x8.sub(v128.load8x8_u(codes), zero);
    const v0 = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(q));
    const v1 = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(q));
    low = put<Out>(at, 0, low, f32x4.add(f32x4.mul(v0, lowScale), lowBias));
    high = put<Out>(at, 16, high, f32x4.add(f32x4.mul(v1, highScale), highBias));
  }
  v128.store(sums, low);
  v128.store(sums, high, 16);
}
