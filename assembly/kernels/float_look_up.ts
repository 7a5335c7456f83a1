// Entries of a palette as f32, times the scales of 8 rows, from codes k by k to where they are wanted (float_out.ts).
//
//   planes  u8  [4, 16]     of a small table the bytes of its entries as f32, the lowest bytes first
//   tables  u32 [8 / dim]   addresses of the tables that rows of codes have

import { PANEL } from '../op_layout';
import { first4, load4, swizzle } from '../simd';
import { bits_of, dim_of, entry_bytes, shares_tables, table_at, value_of } from './code_panel';
import { put } from './float_out';

/** Whether a panel has one table, of 16 numbers at most: then swizzles look them up. */
export function is_small(packed: usize): bool {
  return shares_tables(packed) && bits_of(packed) <= 4 && dim_of(packed) == 1;
}

/** Writes the planes of the small table that row `row` has. */
export function spread_table(planes: usize, packed: usize, row: u32): void {
  for (let code: u32 = 0, count: u32 = 1 << bits_of(packed); code < count; code++) {
    const bits = reinterpret<u32>(value_of(packed, row, code));
    for (let i: u32 = 0; i < 4; i++) {
      store<u8>(planes + ((<usize>i) << 4) + code, <u8>(bits >> (8 * i)));
    }
  }
}

/** Writes the addresses of tables of 8 rows from `row` on; rows from n on, which nobody reads, get the last row's. */
export function find_tables(tables: usize, packed: usize, row: u32, n: u32): void {
  for (let r: u32 = 0; r < <u32>PANEL; r += dim_of(packed), tables += 4) {
    store<u32>(tables, <u32>table_at(packed, min<u32>(row + r, n - 1)));
  }
}

/** Byte by byte, as there are swizzles of bytes: two k at a time. */
export function look_up_small<Out>(
  at: usize,
  end: usize,
  sums: usize,
  codes: usize,
  planes: usize,
  lowScale: v128,
  highScale: v128,
): void {
  const plane0 = v128.load(planes);
  const plane1 = v128.load(planes, 16);
  const plane2 = v128.load(planes, 32);
  const plane3 = v128.load(planes, 48);
  const step = changetype<Out>(0).step();
  let low = v128.load(sums);
  let high = v128.load(sums, 16);
  for (; at < end; at += 2 * step, codes += 16) {
    const indices = v128.load(codes);
    const byte0 = swizzle(plane0, indices);
    const byte1 = swizzle(plane1, indices);
    const byte2 = swizzle(plane2, indices);
    const byte3 = swizzle(plane3, indices);
    const front = front_bytes(byte0, byte1);
    const back = back_bytes(byte0, byte1);
    const frontAbove = front_bytes(byte2, byte3);
    const backAbove = back_bytes(byte2, byte3);
    low = put<Out>(at, 0, low, f32x4.mul(front_pairs(front, frontAbove), lowScale));
    high = put<Out>(at, 16, high, f32x4.mul(back_pairs(front, frontAbove), highScale));
    low = put<Out>(at + step, 0, low, f32x4.mul(front_pairs(back, backAbove), lowScale));
    high = put<Out>(at + step, 16, high, f32x4.mul(back_pairs(back, backAbove), highScale));
  }
  v128.store(sums, low);
  v128.store(sums, high, 16);
}

/** The first 8 bytes of a, each with that of b behind it. */
function front_bytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

/** The last 8 bytes of a, likewise. */
function back_bytes(a: v128, b: v128): v128 {
  return i8x16.shuffle(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

function front_pairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}

function back_pairs(a: v128, b: v128): v128 {
  return i16x8.shuffle(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/** One by one. T: of a table's values. */
export function look_up<Out, T>(
  at: usize,
  end: usize,
  sums: usize,
  codes: usize,
  tables: usize,
  packed: usize,
  lowScale: v128,
  highScale: v128,
): void {
  const step = changetype<Out>(0).step();
  const dim = dim_of(packed);
  const half: usize = 4 / dim;
  const size = entry_bytes(packed);
  let low = v128.load(sums);
  let high = v128.load(sums, 16);
  if (dim == 1) {
    for (; at < end; at += step, codes += 8) {
      low = put<Out>(at, 0, low, f32x4.mul(numbers4<T>(codes, tables), lowScale));
      high = put<Out>(at, 16, high, f32x4.mul(numbers4<T>(codes + 4, tables + 16), highScale));
    }
  }
  for (; at < end; at += step, codes += half << 1) {
    const w0 = vectors4<T>(codes, tables, dim, size);
    const w1 = vectors4<T>(codes + half, tables + (half << 2), dim, size);
    low = put<Out>(at, 0, low, f32x4.mul(w0, lowScale));
    high = put<Out>(at, 16, high, f32x4.mul(w1, highScale));
  }
  v128.store(sums, low);
  v128.store(sums, high, 16);
}

/** Four rows at one k, each an entry of its table. */
function numbers4<T>(codes: usize, tables: usize): v128 {
  const indices = load<u32>(codes);
  const a = <usize>load<u32>(tables) + (indices & 255) * sizeof<T>();
  const b = <usize>load<u32>(tables, 4) + ((indices >> 8) & 255) * sizeof<T>();
  const c = <usize>load<u32>(tables, 8) + ((indices >> 16) & 255) * sizeof<T>();
  const d = <usize>load<u32>(tables, 12) + (indices >> 24) * sizeof<T>();
  let numbers = sizeof<T>() == 4 ? v128.load32_zero(a) : i8x16.splat(0);
  if (sizeof<T>() != 4) numbers = v128.load_lane<T>(a, numbers, 0);
  numbers = v128.load_lane<T>(b, numbers, 1);
  numbers = v128.load_lane<T>(c, numbers, 2);
  return first4<T>(v128.load_lane<T>(d, numbers, 3));
}

/** Four rows at one k: one entry of four numbers, or two of two. */
function vectors4<T>(codes: usize, tables: usize, dim: u32, size: u32): v128 {
  const a = <usize>load<u32>(tables) + <usize>load<u8>(codes) * size;
  if (dim == 4) return load4<T>(a);
  const b = <usize>load<u32>(tables, 4) + <usize>load<u8>(codes, 1) * size;
  if (sizeof<T>() == 4) return v128.load64_lane(b, v128.load64_zero(a), 1);
  if (sizeof<T>() == 2) return first4<T>(v128.load32_lane(b, v128.load32_zero(a), 1));
  return first4<T>(v128.load16_lane(b, v128.load16_lane(a, i8x16.splat(0), 0), 1));
}
