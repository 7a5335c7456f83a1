// What the dots of a tile of weights with a row add to its sums: acc + f32(dot - zero * sum(x)) * (scale * xScale), and
// with biases f32(sum(x)) * (bias * xScale) behind it. add_u7.ts and add_i8.ts make the dots.
//
//   sums    f32 [m, 8]
//   x       i8 [m, 32], xScales f32 [m], xSums i32 [m]: of one block
//   tile    u7 or i8 [8 quads, 32]   byte 4 r + i of quad j has row r, k = 4 j + i
//   factors f32 [4, 4]               scales of rows 0-3 and 4-7, then biases
//   zero    what of the tile means zero

import { biases_at, load_scales, scale_bytes, scales4 } from './group_scales';
import { dtype_of, has_bias } from './operands';
import { add_scaled } from './panel';

/** Factors of one level: the scales at `scales`, and the biases `biases` bytes behind them. */
export function place_factors(to: usize, packed: usize, scales: usize, biases: usize): void {
  const dtype = dtype_of(packed);
  const half = 4 * scale_bytes(dtype);
  v128.store(to, load_scales(dtype, scales));
  v128.store(to, load_scales(dtype, scales + half), 16);
  if (!has_bias(packed)) return;
  v128.store(to, load_scales(dtype, scales + biases), 32);
  v128.store(to, load_scales(dtype, scales + biases + half), 48);
}

/** Factors of any level: those of group g of the panel at `panelAt`. */
export function place_group(to: usize, packed: usize, panelAt: usize, g: u32): void {
  v128.store(to, scales4(packed, panelAt, g, 0));
  v128.store(to, scales4(packed, panelAt, g, 4), 16);
  if (!has_bias(packed)) return;
  const biases = panelAt + biases_at(packed);
  v128.store(to, scales4(packed, biases, g, 0), 32);
  v128.store(to, scales4(packed, biases, g, 4), 48);
}

/** To the sums of 8 rows of weights. */
export function add_both(
  at: usize,
  low: v128,
  high: v128,
  sum: v128,
  xScales: usize,
  factors: usize,
  hasBias: bool,
  zero: v128,
): void {
  const xScale = v128.load32_splat(xScales);
  const f = factors;
  add_to(at, low, sum, zero, v128.load(f), v128.load(f, 32), xScale, hasBias);
  add_to(at + 16, high, sum, zero, v128.load(f, 16), v128.load(f, 48), xScale, hasBias);
}

export function add_to(
  at: usize,
  dot: v128,
  sum: v128,
  zero: v128,
  scale: v128,
  bias: v128,
  xScale: v128,
  hasBias: bool,
): void {
  const centred = i32x4.sub(dot, i32x4.mul(sum, zero));
  let acc = add_scaled(v128.load(at), centred, scale, xScale);
  if (hasBias) acc = add_scaled(acc, sum, bias, xScale);
  v128.store(at, acc);
}

/** The sum of 16 values, in all lanes. */
export function sum16(x: usize): v128 {
  let sum = i32x4.extadd_pairwise_i16x8_s(i16x8.extadd_pairwise_i8x16_s(v128.load(x)));
  sum = i32x4.add(sum, i32x4.shuffle(sum, sum, 2, 3, 0, 1));
  return i32x4.add(sum, i32x4.shuffle(sum, sum, 1, 0, 3, 2));
}
