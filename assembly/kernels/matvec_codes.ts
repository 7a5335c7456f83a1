// y = W x for one row of int8 activations and codes of 1, 2, 3, 4, 5, 6 or 8 bits: matmul_tile's sum for m = 1, in the
// same order, where a group is whole blocks or a row.
//
//   y, x, xScales, xSums as operands.ts draws them, m = 1
//   packed      as code_panel.ts draws it
//   scratch     f32 [blocks, 8] what each block's dots are multiplied with, and as many biases
//   Width       one of widths.ts
//   B           f32 with biases of groups, else void
//
// Codes of up to 6 bits are operands of the exact dot as they are; their zero is taken off the block's sum. The
// pairs of products are added in i16 as long as they fit: all 8 quads of up to 4 bits (8 * 2 * 127 * 15 < 2^15), 4 of
// 5 bits, 2 of 6. Codes of 8 bits are widened first.
// scale * xScale is made panel by panel before the loop over blocks: whatever the scales' type and group, it reads one
// f32 for each row, and holds no branch that would make the compiler spill.

import { DTYPE_F16, DTYPE_F32 } from '../op_layout';
import { dot_i8_u7, load4 } from '../simd';
import { biases_at, codes_at, group_of, panel_at, zero_of } from './code_panel';
import { Codes } from './codes';
import { blocks_of, dtype_of, x_of, x_scales_of, x_sums_of } from './operands';
import { gathered, store_panel } from './panel';
import { offset_of, store_scaled_panel } from './row_scales';

export function matvec_codes<Width, B>(
  op: usize,
  packed: usize,
  scratch: usize,
  begin: u32,
  end: u32,
): void {
  const bits = changetype<Width>(0).value();
  const x = x_of(op);
  const xSums = x_sums_of(op);
  const blocks = blocks_of(op);
  const mask = Codes.mask(bits);
  const zero = i32x4.splat(zero_of(packed));
  const biases = scratch + ((<usize>blocks) << 5);
  const isRow = group_of(packed) == 0;
  const offset = isRow ? offset_of(op, packed, 1, 0) : 0;
  if (isRow) splat_scales(scratch, op);

  for (let panel = begin; panel < end; panel++) {
    const s = panel_at(packed, panel);
    if (!isRow) scale_blocks(scratch, packed, s, op);
    if (!isVoid<B>()) scale_blocks(biases, packed, s + biases_at(packed, blocks), op);
    let w = codes_at(packed, s);
    let low = f32x4.splat(0);
    let high = low;
    for (let b: usize = 0; b < blocks; b++, w += bits << 5) {
      const xb = x + (b << 5);
      let lowDot = FourRows.dot(bits, w, xb, mask);
      let highDot = FourRows.dot(bits, w + (bits << 4), xb, mask);
      const sum = v128.load32_splat(xSums + (b << 2));
      if (isVoid<B>()) {
        const taken = i32x4.mul(sum, zero);
        lowDot = i32x4.sub(lowDot, taken);
        highDot = i32x4.sub(highDot, taken);
      }
      const at = scratch + (b << 5);
      low = add_product(low, lowDot, v128.load(at));
      high = add_product(high, highDot, v128.load(at, 16));
      if (!isVoid<B>()) {
        low = add_product(low, sum, v128.load(biases + (b << 5)));
        high = add_product(high, sum, v128.load(biases + (b << 5), 16));
      }
    }
    if (isRow) store_scaled_panel(op, 0, packed, panel, s, low, high, offset);
    else store_panel(op, 0, panel, low, high);
  }
}

class FourRows {
  /**
   * Four rows of a block times its 32 x at `x`, which are loaded as they are used: held for both halves of the
   * panel, they would not fit the registers.
   */
  @inline static dot(bits: u32, w: usize, x: usize, mask: v128): v128 {
    if (bits == 8) return dot_bytes(w, x);
    const p0 = v128.load(w);
    const p1 = bits > 1 ? v128.load(w, 16) : p0;
    const p2 = bits > 2 ? v128.load(w, 32) : p0;
    const p3 = bits > 3 ? v128.load(w, 48) : p0;
    const p4 = bits > 4 ? v128.load(w, 64) : p0;
    const p5 = bits > 5 ? v128.load(w, 80) : p0;
    const d01 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 0), Codes.of(bits, 0, mask, p0, p1, p2, p3, p4, p5)),
      dot_i8_u7(v128.load32_splat(x, 4), Codes.of(bits, 1, mask, p0, p1, p2, p3, p4, p5)),
    );
    const d23 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 8), Codes.of(bits, 2, mask, p0, p1, p2, p3, p4, p5)),
      dot_i8_u7(v128.load32_splat(x, 12), Codes.of(bits, 3, mask, p0, p1, p2, p3, p4, p5)),
    );
    const d45 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 16), Codes.of(bits, 4, mask, p0, p1, p2, p3, p4, p5)),
      dot_i8_u7(v128.load32_splat(x, 20), Codes.of(bits, 5, mask, p0, p1, p2, p3, p4, p5)),
    );
    const d67 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 24), Codes.of(bits, 6, mask, p0, p1, p2, p3, p4, p5)),
      dot_i8_u7(v128.load32_splat(x, 28), Codes.of(bits, 7, mask, p0, p1, p2, p3, p4, p5)),
    );
    if (bits <= 4) return widened(i16x8.add(i16x8.add(d01, d23), i16x8.add(d45, d67)));
    if (bits == 5) return i32x4.add(widened(i16x8.add(d01, d23)), widened(i16x8.add(d45, d67)));
    const front = i32x4.add(widened(d01), widened(d23));
    return i32x4.add(front, i32x4.add(widened(d45), widened(d67)));
  }
}

function widened(dots: v128): v128 {
  return i32x4.extadd_pairwise_i16x8_s(dots);
}

/** Four rows of a block of bytes times its x. */
function dot_bytes(w: usize, x: usize): v128 {
  let rows01 = i32x4.splat(0);
  let rows23 = rows01;
  for (const last = w + 128; w < last; w += 16, x += 4) {
    const quad = i16x8.extend_low_i8x16_s(v128.load32_splat(x));
    rows01 = i32x4.add(rows01, i32x4.dot_i16x8_s(quad, v128.load8x8_u(w)));
    rows23 = i32x4.add(rows23, i32x4.dot_i16x8_s(quad, v128.load8x8_u(w, 8)));
  }
  return gathered(rows01, rows23);
}

/** acc + f32(dot) * factor. */
function add_product(acc: v128, dot: v128, factor: v128): v128 {
  return f32x4.add(acc, f32x4.mul(f32x4.convert_i32x4_s(dot), factor));
}

/** f32 [blocks, 8] at `to`: the scales (or biases) of a panel's groups at `from` times xScales. */
function scale_blocks(to: usize, packed: usize, from: usize, op: usize): void {
  const dtype = dtype_of(packed);
  const group = group_of(packed);
  if (dtype == DTYPE_F16) scale_as<i16>(to, from, op, group);
  else if (dtype == DTYPE_F32) scale_as<f32>(to, from, op, group);
  else scale_as<u16>(to, from, op, group);
}

function scale_as<S>(to: usize, from: usize, op: usize, group: u32): void {
  const end = to + ((<usize>blocks_of(op)) << 5);
  for (let xScales = x_scales_of(op); to < end; from += 8 * sizeof<S>()) {
    const low = load4<S>(from);
    const high = load4<S>(from + 4 * sizeof<S>());
    for (const last = min<usize>(to + group, end); to < last; to += 32, xScales += 4) {
      const xScale = v128.load32_splat(xScales);
      v128.store(to, f32x4.mul(low, xScale));
      v128.store(to, f32x4.mul(high, xScale), 16);
    }
  }
}

/** The same where a row has one scale, which comes last. */
function splat_scales(to: usize, op: usize): void {
  const end = to + ((<usize>blocks_of(op)) << 5);
  for (let xScales = x_scales_of(op); to < end; to += 32, xScales += 4) {
    const xScale = v128.load32_splat(xScales);
    v128.store(to, xScale);
    v128.store(to, xScale, 16);
  }
}
