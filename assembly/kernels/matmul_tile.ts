// Y = X W^T for m rows of int8 activations and codes of any width and group: the loop that every format of codes
// has, through a tile of 8 rows x 32 k that is unpacked to i16 in the first-level cache and serves all m rows.
//
//   y[i, o] = sum over blocks b, ascending, and groups g of the block, ascending, of
//               f32(dot(q[o, g] - zero, x[i, g])) * (scale[o, g] * xScale[i, b])
//             + f32(sum(x[i, g])) * (bias[o, g] * xScale[i, b])           only with biases
//   Where a row has one scale, it comes last (row_scales.ts).
//
//   y, x, xScales, xSums as operands.ts draws them
//   packed      header and panels, as code_panel.ts draws them
//   scratch     the tile, TILE_BYTES; then f32 [m, 8], the panel's running sums
//   zero    2^(bits - 1) without biases, 0 with them
//
// For a palette, q - zero is the entry that q is the index of. |dot| <= 32 * 127 * 255, exact in f32.

import { TILE_BYTES } from '../op_layout';
import {
  biases_at,
  bits_of,
  codes_at,
  group_of,
  load_scales,
  panel_at,
  scale_bytes,
} from './code_panel';
import { blocks_of, dtype_of, has_bias, x_block, x_scales_block, x_sums_block } from './operands';
import { add_scaled, store_panel } from './panel';
import { offset_of, store_scaled_panel } from './row_scales';
import { unpack_block } from './unpack_codes';

export function matmul_tile(
  op: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const blocks = blocks_of(op);
  const hasBias = has_bias(packed);
  const group = group_of(packed);
  const biases = biases_at(packed, blocks);
  const dtype = dtype_of(packed);
  const half = 4 * scale_bytes(dtype);
  const sums = scratch + TILE_BYTES;
  const blockBytes = (<usize>bits_of(packed)) << 5;

  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    const s = panel_at(packed, panel);
    let w = codes_at(packed, s);
    for (let b: u32 = 0; b < blocks; b++, w += blockBytes) {
      unpack_block(scratch, w, packed, panel);
      const x = x_block(op, b, m);
      const xScales = x_scales_block(op, b, m);
      const xSums = x_sums_block(op, b, m);
      if (group == 0) {
        const one = f32x4.splat(1);
        const none = f32x4.splat(0);
        add_piece(sums, x, xScales, xSums, m, scratch, 8, one, one, none, none, false);
        continue;
      }
      // A block lies in one group, or is two.
      const quads: u32 = group < 32 ? 4 : 8;
      for (let j: u32 = 0; j < 8; j += quads) {
        const at = s + <usize>(((b << 5) + (j << 2)) / group) * 2 * half;
        add_piece(
          sums,
          x + (j << 2),
          xScales,
          quads == 8 ? xSums : 0,
          m,
          scratch + (j << 6),
          quads,
          load_scales(dtype, at),
          load_scales(dtype, at + half),
          hasBias ? load_scales(dtype, at + biases) : f32x4.splat(0),
          hasBias ? load_scales(dtype, at + biases + half) : f32x4.splat(0),
          hasBias,
        );
      }
    }
    store_sums(op, packed, sums, m, panel, s);
  }
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

/** Adds `quads` quads of k of the 8 rows at `tile` to the sums of all m rows. xSums 0: they are not of these quads. */
function add_piece(
  sums: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  m: u32,
  tile: usize,
  quads: u32,
  lowScale: v128,
  highScale: v128,
  lowBias: v128,
  highBias: v128,
  hasBias: bool,
): void {
  const tileEnd = tile + ((<usize>quads) << 6);
  for (let i: u32 = 0; i < m; i++, sums += 32, x += 32, xScales += 4) {
    // Each holds two partial sums for each of two rows: of k 0 and 1, and of k 2 and 3, of every quad.
    let rows01 = i32x4.splat(0);
    let rows23 = rows01;
    let rows45 = rows01;
    let rows67 = rows01;
    for (let t = tile, xq = x; t < tileEnd; t += 64, xq += 4) {
      const quad = i16x8.extend_low_i8x16_s(v128.load32_splat(xq));
      rows01 = i32x4.add(rows01, i32x4.dot_i16x8_s(quad, v128.load(t)));
      rows23 = i32x4.add(rows23, i32x4.dot_i16x8_s(quad, v128.load(t, 16)));
      rows45 = i32x4.add(rows45, i32x4.dot_i16x8_s(quad, v128.load(t, 32)));
      rows67 = i32x4.add(rows67, i32x4.dot_i16x8_s(quad, v128.load(t, 48)));
    }
    const xScale = v128.load32_splat(xScales);
    let low = add_scaled(v128.load(sums), gathered(rows01, rows23), lowScale, xScale);
    let high = add_scaled(v128.load(sums, 16), gathered(rows45, rows67), highScale, xScale);
    if (hasBias) {
      const sum = xSums ? v128.load32_splat(xSums + (i << 2)) : i32x4.splat(sum_of(x, quads));
      low = add_scaled(low, sum, lowBias, xScale);
      high = add_scaled(high, sum, highBias, xScale);
    }
    v128.store(sums, low);
    v128.store(sums, high, 16);
  }
}

/** The dots of four rows from two vectors of partial sums. */
function gathered(a: v128, b: v128): v128 {
  return i32x4.add(i32x4.shuffle(a, b, 0, 2, 4, 6), i32x4.shuffle(a, b, 1, 3, 5, 7));
}

/** Sum of 4 * quads values. */
function sum_of(x: usize, quads: u32): i32 {
  let sum: i32 = 0;
  for (let i: u32 = 0; i < quads << 2; i++) sum += load<i8>(x + i);
  return sum;
}
