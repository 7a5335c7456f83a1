// A block of a packed matrix, 8 rows x 32 k, as f32: w = scale * v + bias, product and sum rounded one after the
// other, where v is the code less its zero or the entry that it is the index of. What a format does not have is the
// number that changes nothing: 1, and -0.
//
//   scratch  f32 [32, 8]      the tile: at each k the 8 rows
//            u8  [32, 8 / dim]  the block's codes
//            u8  [4, 16]      of a small table the bytes of its entries as f32, lowest bytes first
//            u32 [8 / dim]    addresses of the tables that rows of indices have

import { BLOCK, DTYPE_F16, DTYPE_F32, PANEL } from '../op_layout';
import { first4, load4, swizzle } from '../simd';
import {
  biases_at,
  bits_of,
  codes_at,
  dim_of,
  entry_bytes,
  entry_of,
  group_of,
  has_scales,
  is_palette,
  load_scales,
  panel_at,
  scale_bytes,
  shares_tables,
  table_at,
  value_of,
  zero_of,
} from './code_panel';
import { Codes } from './codes';
import { dtype_of, has_bias } from './operands';

const CODES: usize = 1024;
const PLANES: usize = CODES + 256;
const TABLES: usize = PLANES + 64;

/** Finds the tables of a panel of a palette; rows from n on, which nobody reads, get the last row's. */
export function take_tables(scratch: usize, packed: usize, panel: u32, n: u32): void {
  if (!is_palette(packed)) return;
  const row = panel * PANEL;
  for (let r: u32 = 0; r < <u32>PANEL; r += dim_of(packed)) {
    const table = table_at(packed, min<u32>(row + r, n - 1));
    store<u32>(scratch + TABLES + ((<usize>(r / dim_of(packed))) << 2), <u32>table);
  }
  if (!is_small(packed)) return;
  for (let code: u32 = 0, count: u32 = 1 << bits_of(packed); code < count; code++) {
    const bits = reinterpret<u32>(value_of(packed, row, code));
    const at = scratch + PLANES + code;
    for (let i: u32 = 0; i < 4; i++) store<u8>(at + ((<usize>i) << 4), <u8>(bits >> (8 * i)));
  }
}

/** Whether a panel has one table, of 16 numbers at most: then swizzles look them up. */
function is_small(packed: usize): bool {
  return shares_tables(packed) && bits_of(packed) <= 4 && dim_of(packed) == 1;
}

/** Fills the tile with block b of a panel whose tables were taken. */
export function fill_tile(scratch: usize, packed: usize, panel: u32, blocks: u32, b: u32): void {
  const scales = panel_at(packed, panel);
  const dtype = dtype_of(packed);
  const group = group_of(packed);
  const half = 4 * scale_bytes(dtype);
  const biases = biases_at(packed, blocks);
  const hasScales = has_scales(packed);
  const hasBias = has_bias(packed);
  take_codes(scratch + CODES, codes_at(packed, scales), bits_of(packed), dim_of(packed), b);
  // A block lies in one group, or is two.
  const length: u32 = group == 16 ? 16 : BLOCK;
  for (let i: u32 = 0; i < <u32>BLOCK; i += length) {
    const g: usize = group == 0 ? 0 : (b * BLOCK + i) / group;
    const at = scales + g * PANEL * scale_bytes(dtype);
    fill(
      scratch,
      packed,
      i,
      i + length,
      hasScales ? load_scales(dtype, at) : f32x4.splat(1),
      hasScales ? load_scales(dtype, at + half) : f32x4.splat(1),
      hasBias ? load_scales(dtype, at + biases) : f32x4.splat(-0.0),
      hasBias ? load_scales(dtype, at + biases + half) : f32x4.splat(-0.0),
    );
  }
}

/** Codes of block b as bytes: at each k those of the panel's rows of codes. */
function take_codes(to: usize, w: usize, bits: u32, dim: u32, b: u32): void {
  w += (<usize>(b / dim) * bits) << 5;
  const half = (<usize>bits) << 4;
  if (dim == 1) {
    for (let j: u32 = 0; j < 8; j++, to += 32) {
      const low = Codes.quad(w, bits, j);
      const high = Codes.quad(w + half, bits, j);
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
    return;
  }
  const row = (b % dim) * (PANEL / dim);
  if (row >= 4) w += half;
  for (let j: u32 = 0; j < 8; j++, to += 32 / dim) {
    const quad = Codes.quad(w, bits, j);
    // Byte 4 r + i becomes byte 4 i + r, or of two rows 2 i + r.
    if (dim == 2) {
      v128.store(
        to,
        i8x16.shuffle(quad, quad, 0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
      );
    } else {
      const two = row & 2 ? i64x2.shuffle(quad, quad, 1, 1) : quad;
      const pairs = i8x16.shuffle(two, two, 0, 4, 1, 5, 2, 6, 3, 7, 0, 0, 0, 0, 0, 0, 0, 0);
      v128.store_lane<u64>(to, pairs, 0);
    }
  }
}

/** Fills k from `begin` to `end` of the tile, an even number. */
function fill(
  scratch: usize,
  packed: usize,
  begin: u32,
  end: u32,
  lowScale: v128,
  highScale: v128,
  lowBias: v128,
  highBias: v128,
): void {
  if (is_palette(packed) && !is_small(packed)) {
    const entry = entry_of(packed);
    if (entry == DTYPE_F32) look_up<f32>(scratch, packed, begin, end);
    else if (entry == DTYPE_F16) look_up<i16>(scratch, packed, begin, end);
    else look_up<i8>(scratch, packed, begin, end);
  } else if (is_palette(packed)) {
    look_up_small(scratch, begin, end);
  } else {
    subtract_zero(scratch, packed, begin, end);
  }
  for (let at = scratch + ((<usize>begin) << 5); at < scratch + ((<usize>end) << 5); at += 32) {
    v128.store(at, f32x4.add(f32x4.mul(v128.load(at), lowScale), lowBias));
    v128.store(at, f32x4.add(f32x4.mul(v128.load(at, 16), highScale), highBias), 16);
  }
}

function subtract_zero(scratch: usize, packed: usize, begin: u32, end: u32): void {
  const zero = i16x8.splat(<i16>zero_of(packed));
  const codes = scratch + CODES;
  for (let i: usize = begin; i < end; i++) {
    const q = i16x8.sub(v128.load8x8_u(codes + (i << 3)), zero);
    const at = scratch + (i << 5);
    v128.store(at, f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(q)));
    v128.store(at, f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(q)), 16);
  }
}

/** Byte by byte, as there are swizzles of bytes: two k at a time. */
function look_up_small(scratch: usize, begin: u32, end: u32): void {
  const planes = scratch + PLANES;
  const plane0 = v128.load(planes);
  const plane1 = v128.load(planes, 16);
  const plane2 = v128.load(planes, 32);
  const plane3 = v128.load(planes, 48);
  for (let i: usize = begin; i < end; i += 2) {
    const codes = v128.load(scratch + CODES + (i << 3));
    const byte0 = swizzle(plane0, codes);
    const byte1 = swizzle(plane1, codes);
    const byte2 = swizzle(plane2, codes);
    const byte3 = swizzle(plane3, codes);
    const at = scratch + (i << 5);
    const front = front_bytes(byte0, byte1);
    const back = back_bytes(byte0, byte1);
    const frontAbove = front_bytes(byte2, byte3);
    const backAbove = back_bytes(byte2, byte3);
    v128.store(at, i16x8.shuffle(front, frontAbove, 0, 8, 1, 9, 2, 10, 3, 11));
    v128.store(at, i16x8.shuffle(front, frontAbove, 4, 12, 5, 13, 6, 14, 7, 15), 16);
    v128.store(at, i16x8.shuffle(back, backAbove, 0, 8, 1, 9, 2, 10, 3, 11), 32);
    v128.store(at, i16x8.shuffle(back, backAbove, 4, 12, 5, 13, 6, 14, 7, 15), 48);
  }
}

/** The first 8 bytes of a, each with that of b behind it. */
function front_bytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** The last 8 bytes of a, likewise. */
function back_bytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** One by one. T: of a table's values. */
function look_up<T>(scratch: usize, packed: usize, begin: u32, end: u32): void {
  const size = entry_bytes(packed);
  const dim = dim_of(packed);
  const perRow: usize = PANEL / dim;
  const tables = scratch + TABLES;
  for (let i: usize = begin; i < end; i++) {
    const codes = scratch + CODES + i * perRow;
    const at = scratch + (i << 5);
    const half = perRow >> 1;
    v128.store(at, entries4<T>(codes, tables, size, dim));
    v128.store(at, entries4<T>(codes + half, tables + (half << 2), size, dim), 16);
  }
}

/** Four rows at one k: 4 / dim entries of `size` bytes, each from its table. */
function entries4<T>(codes: usize, tables: usize, size: u32, dim: u32): v128 {
  const a = entry_at(codes, tables, size, 0);
  if (dim == 4) return load4<T>(a);
  const b = entry_at(codes, tables, size, 1);
  if (dim == 2) {
    if (sizeof<T>() == 4) return v128.load64_lane(b, v128.load64_zero(a), 1);
    if (sizeof<T>() == 2) return first4<T>(v128.load32_lane(b, v128.load32_zero(a), 1));
    return first4<T>(v128.load16_lane(b, v128.load16_lane(a, i8x16.splat(0), 0), 1));
  }
  const c = entry_at(codes, tables, size, 2);
  const d = entry_at(codes, tables, size, 3);
  let values = i8x16.splat(0);
  values = v128.load_lane<T>(a, values, 0);
  values = v128.load_lane<T>(b, values, 1);
  values = v128.load_lane<T>(c, values, 2);
  return first4<T>(v128.load_lane<T>(d, values, 3));
}

function entry_at(codes: usize, tables: usize, size: u32, i: usize): usize {
  return <usize>load<u32>(tables + (i << 2)) + <usize>load<u8>(codes + i) * size;
}
