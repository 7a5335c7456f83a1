// Entries of a palette of int8, 16 at a time, from indices that are a byte each. Tables are kept as entries + 64, 0 to
// 127, as the exact dot takes them.

import { swizzle } from '../simd';

/** In memory: a literal would be built anew at each use. */
const SIXTEENS = memory.data<u64>([0x1010101010101010, 0x1010101010101010], 16);

/** 16 entries of 7 bits at `table`, + 64. */
export function u7_entries(table: usize): v128 {
  return i8x16.add(v128.load(table), i8x16.splat(64));
}

/**
 * Up to 4 bits: one swizzle of `lut`. 6 bits: four, of entries 0-15, 16-31, 32-47 and 48-63, each of which is 0 where
 * the index is another's.
 */
export function look_up(
  bits: u32,
  indices: v128,
  lut: v128,
  lut1: v128,
  lut2: v128,
  lut3: v128,
): v128 {
  if (bits <= 4) return swizzle(lut, indices);
  const sixteens = v128.load(SIXTEENS);
  const from1 = i8x16.sub(indices, sixteens);
  const from2 = i8x16.sub(from1, sixteens);
  const front = v128.or(i8x16.swizzle(lut, indices), i8x16.swizzle(lut1, from1));
  const back = i8x16.swizzle(lut3, i8x16.sub(from2, sixteens));
  return v128.or(front, v128.or(i8x16.swizzle(lut2, from2), back));
}
