// Y = X W^T for m rows of int8 activations and codes of which only some are there: each block of 8 rows x 32 k is
// expanded through its mask to a tile as matmul_tile has it.
//
//   y[i, o] = sum over blocks b, ascending, and groups g of the block, ascending, of
//               f32(dot(q[o, g] - zero, x[i, g])) * (scale[o, g] * xScale[i, b])
//             + f32(dot(there[o, g], x[i, g])) * (bias[o, g] * xScale[i, b])           only with biases
//
//   y, x, xScales, xSums as operands.ts draws them
//   packed      header and panels, as code_panel.ts and sparse_panel.ts draw them
//   scratch     SPARSE_BYTES: the tile (unpack_codes.ts), a tile of ones for weights that are there, factors (add_factors.ts),
//               codes as they are unpacked; then f32 [m, 8], the panel's running sums
//   q - zero    as for matmul_tile, or 0 where no weight is; a row that has one scale is one group
//
// Of a block without weights nothing is expanded or multiplied, as its dots are 0. They are added all the same: 0 times
// a scale that is infinite or NaN is NaN.

import { SPARSE_BYTES } from '../op_layout';
import { place_group } from './add_factors';
import { add_i8 } from './add_i8';
import { add_half_u7, add_u7 } from './add_u7';
import { bits_of, group_at, group_of, is_palette, panel_at } from './code_panel';
import { blocks_of, has_bias, x_block, x_scales_block, x_sums_block } from './operands';
import { add_scaled, store_panel } from './panel';
import { count_block, expand_block, MASK_BYTES, mask_at, nonzeros_at } from './sparse_panel';
import { is_u7, look_up_tile, tile_zero } from './unpack_codes';

/** Where in the scratch they stand. */
const ONES: usize = 256;
const FACTORS: usize = 512;
const UNPACKED: usize = 576;

export function matmul_sparse(
  op: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const blocks = blocks_of(op);
  const group = group_of(packed);
  const sums = scratch + SPARSE_BYTES;
  const pieces: u32 = group == 16 ? 2 : 1;

  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    const s = panel_at(packed, panel);
    const stream = nonzeros_at(packed, panel);
    let mask = mask_at(packed, s);
    let passed: u32 = 0;
    for (let b: u32 = 0; b < blocks; b++, mask += MASK_BYTES) {
      const count = count_block(mask);
      if (count != 0) {
        const ones = scratch + ONES;
        expand_block(scratch, ones, scratch + UNPACKED, mask, packed, stream, passed, count);
        finish_tile(scratch, ones, packed, panel);
        passed += count;
      }
      for (let piece: u32 = 0; piece < pieces; piece++) {
        place_group(scratch + FACTORS, packed, s, group_at(packed, (b << 5) + (piece << 4)));
        if (count == 0) add_nothing(op, packed, scratch + FACTORS, sums, m, b);
        else if (pieces == 2) add_half(op, packed, scratch, sums, m, b, piece);
        else add_block(op, packed, scratch, sums, m, b);
      }
    }
    for (let i: u32 = 0; i < m; i++) {
      const at = sums + ((<usize>i) << 5);
      store_panel(op, i, panel, v128.load(at), v128.load(at, 16));
    }
  }
}

/** From codes to what a tile holds, its zero where no weight is. ones: 0xff where one is; becomes 1. */
function finish_tile(tile: usize, ones: usize, packed: usize, panel: u32): void {
  if (is_palette(packed)) look_up_tile(tile, packed, panel);
  const flips = i8x16.splat(bits_of(packed) == 8 && !is_palette(packed) ? -128 : 0);
  const zero = i8x16.splat(<i8>tile_zero(packed));
  for (const end = tile + 256; tile < end; tile += 16, ones += 16) {
    const there = v128.load(ones);
    const value = v128.xor(v128.load(tile), flips);
    v128.store(tile, v128.bitselect(value, zero, there));
    v128.store(ones, i8x16.neg(there));
  }
}

function add_block(op: usize, packed: usize, scratch: usize, sums: usize, m: u32, b: u32): void {
  const x = x_block(op, b, m);
  const xScales = x_scales_block(op, b, m);
  const xSums = x_sums_block(op, b, m);
  const zero = i32x4.splat(tile_zero(packed));
  const f = scratch + FACTORS;
  if (is_u7(packed)) {
    add_u7<i32, void>(sums, x, xScales, xSums, m, scratch, 0, f, zero);
    add_u7<i32, void>(sums, x, xScales, xSums, m, scratch, 4, f, zero);
  } else {
    add_i8(sums, x, xScales, xSums, m, scratch, 4, f, false, zero);
  }
  if (!has_bias(packed)) return;
  const none = i32x4.splat(0);
  add_u7<i16, void>(sums, x, xScales, xSums, m, scratch + ONES, 0, f + 32, none);
  add_u7<i16, void>(sums, x, xScales, xSums, m, scratch + ONES, 4, f + 32, none);
}

/** Half a block, `half` 0 or 1. */
function add_half(
  op: usize,
  packed: usize,
  scratch: usize,
  sums: usize,
  m: u32,
  b: u32,
  half: u32,
): void {
  const x = x_block(op, b, m) + ((<usize>half) << 4);
  const xScales = x_scales_block(op, b, m);
  const zero = i32x4.splat(tile_zero(packed));
  const w = scratch + ((<usize>half) << 7);
  const f = scratch + FACTORS;
  if (is_u7(packed)) add_half_u7(sums, x, xScales, m, w, f, false, zero);
  else add_i8(sums, x, xScales, 0, m, w, 2, f, false, zero);
  if (!has_bias(packed)) return;
  add_half_u7(sums, x, xScales, m, w + ONES, f + 32, false, i32x4.splat(0));
}

/** What dots of 0 add to the sums of all m rows. */
function add_nothing(op: usize, packed: usize, factors: usize, sums: usize, m: u32, b: u32): void {
  const hasBias = has_bias(packed);
  const none = i32x4.splat(0);
  let xScales = x_scales_block(op, b, m);
  for (let i: u32 = 0; i < m; i++, sums += 32, xScales += 4) {
    const xScale = v128.load32_splat(xScales);
    for (let half: usize = 0; half < 32; half += 16) {
      let acc = add_scaled(v128.load(sums + half), none, v128.load(factors + half), xScale);
      if (hasBias) acc = add_scaled(acc, none, v128.load(factors + half, 32), xScale);
      v128.store(sums + half, acc);
    }
  }
}
