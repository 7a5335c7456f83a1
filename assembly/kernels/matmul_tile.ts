// Y = X W^T for m rows of int8 activations and codes of any width and group: the loop that every format of codes
// has, through a tile of 8 rows x 32 k that is unpacked to i16 in the first-level cache and serves all m rows.
//
//   y[i, o] = sum over blocks b, ascending, and groups g of the block, ascending, of
//               f32(dot(q[o, g] - zero, x[i, g])) * (scale[o, g] * xScale[i, b])
//             + f32(sum(x[i, g])) * (bias[o, g] * xScale[i, b])           only with biases
//   Where a row has one scale, it comes last:
//   y[i, o] = scale[o] * sum over b of f32(dot(q[o, b] - zero, x[i, b])) * xScale[i, b]
//             + bias[o] * sum over b of f32(sum(x[i, b])) * xScale[i, b]
//
//   y       f32 [m, n]
//   x       i8  [blocks, m, 32]   within +-127; padding along k is zero
//   xScales f32 [blocks, m]
//   xSums   i32 [blocks, m]
//   packed      header and panels, as code_panel.ts draws them
//   scratch     the tile, TILE_BYTES; then f32 [m, 8], the panel's running sums; then f32 [m], sums of a row's bias
//   zero    2^(bits - 1) without biases, 0 with them
//
// For a palette, q - zero is the entry that q is the index of.
//
// Computes panels [begin, end). |dot| <= 32 * 127 * 255, exact in f32.

import { PANEL, TILE_BYTES } from '../op_layout';
import {
  biases_at,
  bits_of,
  codes_at,
  dtype_of,
  group_of,
  has_bias,
  is_palette,
  load_scales,
  panel_at,
  scale_bytes,
  shares_tables,
  table_at,
  zero_of,
} from './code_panel';
import { Codes } from './codes';
import { add_scaled, store_panel } from './panel';

export function matmul_tile(
  y: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  n: u32,
  blocks: u32,
  begin: u32,
  end: u32,
): void {
  const dtype = dtype_of(packed);
  const hasBias = has_bias(packed);
  const group = group_of(packed);
  const biases = biases_at(packed, blocks);
  const sums = scratch + TILE_BYTES;
  const offsets = sums + ((<usize>m) << 5);
  const blockBytes = (<usize>bits_of(packed)) << 5;

  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, <usize>m * 36);
    const s = panel_at(packed, panel);
    let w = codes_at(packed, s);
    for (let b: u32 = 0; b < blocks; b++, w += blockBytes) {
      if (is_palette(packed)) look_up(scratch, w, packed, panel);
      else unpack(scratch, w, bits_of(packed), zero_of(packed));
      const first = <usize>b * m;
      const xb = x + (first << 5);
      const xs = xScales + (first << 2);
      const xSum = xSums + (first << 2);
      if (group == 0) {
        const one = f32x4.splat(1);
        const none = f32x4.splat(0);
        add_piece(sums, xb, xs, xSum, m, scratch, 8, one, one, none, none, false);
        if (hasBias) add_offsets(offsets, xs, xSum, m);
        continue;
      }
      // A block lies in one group, or is two.
      const quads: u32 = group < 32 ? 4 : 8;
      for (let j: u32 = 0; j < 8; j += quads) {
        const at = s + <usize>(((b << 5) + (j << 2)) / group) * 8 * scale_bytes(dtype);
        const half = 4 * scale_bytes(dtype);
        add_piece(
          sums,
          xb + (j << 2),
          xs,
          quads == 8 ? xSum : 0,
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
    if (group == 0) scale_rows(sums, offsets, m, packed, s);
    for (let i: usize = 0; i < m; i++) {
      const at = sums + (i << 5);
      store_panel(y + ((i * n) << 2), n, panel, v128.load(at), v128.load(at, 16));
    }
  }
}

/** The end of rows that have one scale each: sum * scale + offset * bias. */
function scale_rows(sums: usize, offsets: usize, m: u32, packed: usize, scales: usize): void {
  const dtype = dtype_of(packed);
  const half = 4 * scale_bytes(dtype);
  const biases = scales + biases_at(packed, 1);
  const hasBias = has_bias(packed);
  const lowScale = load_scales(dtype, scales);
  const highScale = load_scales(dtype, scales + half);
  const lowBias = hasBias ? load_scales(dtype, biases) : f32x4.splat(0);
  const highBias = hasBias ? load_scales(dtype, biases + half) : f32x4.splat(0);
  for (let i: u32 = 0; i < m; i++, sums += 32, offsets += 4) {
    let low = f32x4.mul(v128.load(sums), lowScale);
    let high = f32x4.mul(v128.load(sums, 16), highScale);
    if (hasBias) {
      const offset = v128.load32_splat(offsets);
      low = f32x4.add(low, f32x4.mul(offset, lowBias));
      high = f32x4.add(high, f32x4.mul(offset, highBias));
    }
    v128.store(sums, low);
    v128.store(sums, high, 16);
  }
}

/**
 * The codes of the block at `w`, less their zero, as i16: quad by quad 64 bytes, in them 16 for every two rows, each
 * with 4 k.
 */
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

/** The entries that the block's indices mean, in the same order. */
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

/** Adds a block's part of what a row's bias is multiplied with. */
function add_offsets(offsets: usize, xScales: usize, xSums: usize, m: u32): void {
  for (let i: usize = 0; i < m; i++) {
    const at = offsets + (i << 2);
    const sum = <f32>load<i32>(xSums + (i << 2));
    store<f32>(at, load<f32>(at) + sum * load<f32>(xScales + (i << 2)));
  }
}
