// y = W x for one row of int8 activations and palettes of 1, 2, 3, 4 or 6 bits whose entries have 7: matmul_tile's sum
// for m = 1, in the same order.
//
//   y[o] = scale[o] * sum over blocks b, ascending, of
//            f32(dot(lut[index[o, b]] + 64, x[b]) - 64 * sum(x[b])) * xScale[b]
//
//   y, x, xScales, xSums as operands.ts draws them, m = 1
//   Width       one of widths.ts
//   packed      as code_panel.ts draws it; a table serves a multiple of 4 rows, of 8 with 6 bits
//
// 4 rows x 4 k are looked up by one swizzle of a table of up to 16 entries, or four of a larger one, each of which is
// zero where the index is another's. A pair of products just fits i16, 2 * 127 * 127 = 32258, so every dot is widened
// to i32 before it is added.

import { PANEL } from '../op_layout';
import { dot4_i8_u7 } from '../simd';
import { block_at, panel_at, table_at } from './code_panel';
import { Codes } from './codes';
import { look_up, u7_entries } from './look_up';
import { NIBBLES } from './matvec_q4';
import { blocks_of, x_of, x_scales_of, x_sums_of } from './operands';
import { store_scaled_panel } from './row_scales';

export function matvec_lut<Width>(op: usize, packed: usize, begin: u32, end: u32): void {
  const bits = changetype<Width>(0).value();
  const x = x_of(op);
  const xScales = x_scales_of(op);
  const xSums = x_sums_of(op);
  const blocks = blocks_of(op);
  const mask = Codes.mask(bits);
  const ones = i16x8.shr_u(v128.load(NIBBLES), 11);
  for (let panel = begin; panel < end; panel++) {
    const s = panel_at(packed, panel);
    const table = table_at(packed, panel * PANEL);
    const lowLut = u7_entries(table);
    const highLut = bits == 6 ? lowLut : u7_entries(table_at(packed, panel * PANEL + 4));
    const lut1 = bits == 6 ? u7_entries(table + 16) : lowLut;
    const lut2 = bits == 6 ? u7_entries(table + 32) : lowLut;
    const lut3 = bits == 6 ? u7_entries(table + 48) : lowLut;
    let w = block_at(packed, s, 0);
    let low = f32x4.splat(0);
    let high = low;
    for (let b: usize = 0; b < blocks; b++, w += bits << 5) {
      const xb = x + (b << 5);
      const sum = i32x4.neg(i32x4.shl(v128.load32_splat(xSums + (b << 2)), 6));
      const lowDot = FourRows.add<Width>(sum, w, xb, mask, lowLut, lut1, lut2, lut3, ones);
      const highDot = FourRows.add<Width>(
        sum,
        w + (bits << 4),
        xb,
        mask,
        highLut,
        lut1,
        lut2,
        lut3,
        ones,
      );
      const xScale = v128.load32_splat(xScales + (b << 2));
      low = f32x4.add(low, f32x4.mul(f32x4.convert_i32x4_s(lowDot), xScale));
      high = f32x4.add(high, f32x4.mul(f32x4.convert_i32x4_s(highDot), xScale));
    }
    store_scaled_panel(op, 0, packed, panel, s, low, high, 0);
  }
}

class FourRows {
  /** dots + four rows of a block times its 32 x at `x`. */
  @inline static add<Width>(
    dots: v128,
    w: usize,
    x: usize,
    mask: v128,
    lut: v128,
    lut1: v128,
    lut2: v128,
    lut3: v128,
    ones: v128,
  ): v128 {
    const bits = changetype<Width>(0).value();
    const p0 = v128.load(w);
    const p1 = bits > 1 ? v128.load(w, 16) : p0;
    const p2 = bits > 2 ? v128.load(w, 32) : p0;
    const p3 = bits > 3 ? v128.load(w, 48) : p0;
    const p4 = bits > 4 ? v128.load(w, 64) : p0;
    const p5 = bits > 5 ? v128.load(w, 80) : p0;
    const e0 = look_up(
      bits,
      Codes.of(bits, 0, mask, p0, p1, p2, p3, p4, p5),
      lut,
      lut1,
      lut2,
      lut3,
    );
    dots = i32x4.add(dots, dot4_i8_u7(v128.load32_splat(x, 0), e0, ones));
    const e1 = look_up(
      bits,
      Codes.of(bits, 1, mask, p0, p1, p2, p3, p4, p5),
      lut,
      lut1,
      lut2,
      lut3,
    );
    dots = i32x4.add(dots, dot4_i8_u7(v128.load32_splat(x, 4), e1, ones));
    const e2 = look_up(
      bits,
      Codes.of(bits, 2, mask, p0, p1, p2, p3, p4, p5),
      lut,
      lut1,
      lut2,
      lut3,
    );
    dots = i32x4.add(dots, dot4_i8_u7(v128.load32_splat(x, 8), e2, ones));
    const e3 = look_up(
      bits,
      Codes.of(bits, 3, mask, p0, p1, p2, p3, p4, p5),
      lut,
      lut1,
      lut2,
      lut3,
    );
    dots = i32x4.add(dots, dot4_i8_u7(v128.load32_splat(x, 12), e3, ones));
    const e4 = look_up(
      bits,
      Codes.of(bits, 4, mask, p0, p1, p2, p3, p4, p5),
      lut,
      lut1,
      lut2,
      lut3,
    );
    dots = i32x4.add(dots, dot4_i8_u7(v128.load32_splat(x, 16), e4, ones));
    const e5 = look_up(
      bits,
      Codes.of(bits, 5, mask, p0, p1, p2, p3, p4, p5),
      lut,
      lut1,
      lut2,
      lut3,
    );
    dots = i32x4.add(dots, dot4_i8_u7(v128.load32_splat(x, 20), e5, ones));
    const e6 = look_up(
      bits,
      Codes.of(bits, 6, mask, p0, p1, p2, p3, p4, p5),
      lut,
      lut1,
      lut2,
      lut3,
    );
    dots = i32x4.add(dots, dot4_i8_u7(v128.load32_splat(x, 24), e6, ones));
    const e7 = look_up(
      bits,
      Codes.of(bits, 7, mask, p0, p1, p2, p3, p4, p5),
      lut,
      lut1,
      lut2,
      lut3,
    );
    dots = i32x4.add(dots, dot4_i8_u7(v128.load32_splat(x, 28), e7, ones));
    return dots;
  }
}
