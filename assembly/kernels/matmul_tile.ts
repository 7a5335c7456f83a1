// Y = X W^T for m rows of int8 activations and codes of any width and group: the loop that every format of codes
// has, through a tile of 8 rows x 32 k that is unpacked to bytes in the first-level cache and serves all m rows.
//
//   y[i, o] = sum over blocks b, ascending, and groups g of the block, ascending, of
//               f32(dot(q[o, g] - zero, x[i, g])) * (scale[o, g] * xScale[i, b])
//             + f32(sum(x[i, g])) * (bias[o, g] * xScale[i, b])           only with biases
//   Where a row has one scale, it comes last (row_scales.ts).
//
//   y, x, xScales, xSums as operands.ts draws them
//   packed      header and panels, as code_panel.ts draws them
//   scratch     the tile (unpack_codes.ts) and its factors (add_factors.ts), TILE_BYTES; then f32 [m, 8], the panel's
//               running sums
//   zero    2^(bits - 1) without biases, 0 with them
//
// For a palette, q - zero is the entry that q is the index of. |dot| <= 32 * 127 * 255, exact in f32.

import { TILE_BYTES } from '../op_layout';
import { place_group } from './add_factors';
import { add_i8 } from './add_i8';
import { add_half_u7, add_u7 } from './add_u7';
import { bits_of, block_at, group_at, group_of, is_palette, panel_at } from './code_panel';
import { blocks_of, has_bias, x_block, x_scales_block, x_sums_block } from './operands';
import { store_panel } from './panel';
import { offset_of, store_scaled_panel } from './row_scales';
import { is_u7, tile_zero, unpack_block } from './unpack_codes';

const FACTORS: usize = 256;

export function matmul_tile(
  op: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const blocks = blocks_of(op);
  const group = group_of(packed);
  const sums = scratch + TILE_BYTES;

  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    const s = panel_at(packed, panel);
    if (group == 0) place_ones(scratch + FACTORS);
    for (let b: u32 = 0; b < blocks; b++) {
      unpack_block(scratch, block_at(packed, s, b), packed, panel);
      if (group == 16) {
        place_group(scratch + FACTORS, packed, s, 2 * b);
        add_half(op, packed, scratch, sums, m, b, 0);
        place_group(scratch + FACTORS, packed, s, 2 * b + 1);
        add_half(op, packed, scratch, sums, m, b, 1);
      } else {
        if (group != 0) place_group(scratch + FACTORS, packed, s, group_at(packed, b << 5));
        add_block(op, packed, scratch, sums, m, b);
      }
    }
    store_sums(op, packed, sums, m, panel, s);
  }
}

/** Scales that come last are 1 until then. */
function place_ones(to: usize): void {
  v128.store(to, f32x4.splat(1));
  v128.store(to, f32x4.splat(1), 16);
}

function add_block(op: usize, packed: usize, tile: usize, sums: usize, m: u32, b: u32): void {
  const x = x_block(op, b, m);
  const xScales = x_scales_block(op, b, m);
  const xSums = x_sums_block(op, b, m);
  const hasBias = has_bias(packed) && group_of(packed) != 0;
  const zero = i32x4.splat(tile_zero(packed));
  const f = tile + FACTORS;
  if (!is_u7(packed)) {
    add_i8(sums, x, xScales, xSums, m, tile, 4, f, hasBias, zero);
  } else if (hasBias) {
    add_u7_block<f32>(packed, sums, x, xScales, xSums, m, tile, zero);
  } else {
    add_u7_block<void>(packed, sums, x, xScales, xSums, m, tile, zero);
  }
}

function add_u7_block<B>(
  packed: usize,
  sums: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  m: u32,
  tile: usize,
  zero: v128,
): void {
  const f = tile + FACTORS;
  if (bits_of(packed) <= 4 && !is_palette(packed)) {
    add_u7<i16, B>(sums, x, xScales, xSums, m, tile, 0, f, zero);
    add_u7<i16, B>(sums, x, xScales, xSums, m, tile, 4, f, zero);
  } else {
    add_u7<i32, B>(sums, x, xScales, xSums, m, tile, 0, f, zero);
    add_u7<i32, B>(sums, x, xScales, xSums, m, tile, 4, f, zero);
  }
}

/** Half a block, `half` 0 or 1. */
function add_half(
  op: usize,
  packed: usize,
  tile: usize,
  sums: usize,
  m: u32,
  b: u32,
  half: u32,
): void {
  const x = x_block(op, b, m) + ((<usize>half) << 4);
  const xScales = x_scales_block(op, b, m);
  const zero = i32x4.splat(tile_zero(packed));
  const hasBias = has_bias(packed);
  const w = tile + ((<usize>half) << 7);
  if (is_u7(packed)) add_half_u7(sums, x, xScales, m, w, tile + FACTORS, hasBias, zero);
  else add_i8(sums, x, xScales, 0, m, w, 2, tile + FACTORS, hasBias, zero);
}

/** The sums of a panel, whose scales are at `scales`, to y. */
function store_sums(
  op: usize,
  packed: usize,
  sums: usize,
  m: u32,
  panel: u32,
  scales: usize,
): void {
  for (let i: u32 = 0; i < m; i++, sums += 32) {
    const low = v128.load(sums);
    const high = v128.load(sums, 16);
    if (group_of(packed) != 0) store_panel(op, i, panel, low, high);
    else store_scaled_panel(op, i, packed, panel, scales, low, high, offset_of(op, packed, m, i));
  }
}
