// y = W x for one row of int8 activations and codes of 1, 2, 3, 4, 5, 6 or 8 bits: matmul_tile's sum for m = 1, in the
// same order, where a group is whole blocks or a row.
//
//   y, x, xScales, xSums as operands.ts draws them, m = 1
//   packed      as code_panel.ts draws it
//   Width       one of widths.ts
//   S           of scales of groups: i16 (float16) or u16 (bfloat16); i16 too where a row has one scale of any type
//   B           S with biases of groups, else void
//
// Codes of up to 6 bits are operands of the exact dot as they are; their zero is taken off the block's sum. The
// pairs of products are added in i16 as long as they fit: all 8 quads of up to 4 bits (8 * 2 * 127 * 15 < 2^15), 4 of
// 5 bits, 2 of 6. Codes of 8 bits are widened first.
import { PACKED_CODES, PACKED_RECORD_BLOCKS } from '../op_layout';
import { dot_i8_u7, load4 } from '../simd';
import { group_of, panel_at, zero_of } from './code_panel';
import { Codes } from './codes';
import { biases_at } from './group_scales';
import { blocks_of, x_of, x_scales_of, x_sums_of } from './operands';
import { add_scaled, gathered, store_panel } from './panel';
import { offset_of, store_scaled_panel } from './row_scales';

/** float16. */
const ONES = memory.data<u16>([0x3c00, 0x3c00, 0x3c00, 0x3c00, 0x3c00, 0x3c00, 0x3c00, 0x3c00], 16);

export function matvec_codes<Width, S, B>(op: usize, packed: usize, begin: u32, end: u32): void {
  const bits = changetype<Width>(0).value();
  const x = x_of(op);
  const xScales = x_scales_of(op);
  const xSums = x_sums_of(op);
  const blocks = blocks_of(op);
  const mask = Codes.mask(bits);
  const zero = i32x4.splat(zero_of(packed));
  const isRow = group_of(packed) == 0;
  const offset = isRow ? offset_of(op, packed, 1, 0) : 0;
  const biases = biases_at(packed);
  const codes: usize = load<u32>(packed, PACKED_CODES);
  const rest = load<u32>(packed, PACKED_RECORD_BLOCKS) - 1;

  for (let panel = begin; panel < end; panel++) {
    const s = panel_at(packed, panel);
    // A row's one scale comes last, and until then it is 1.
    let scales = isRow ? ONES : s;
    let w = s + codes;
    let low = f32x4.splat(0);
    let high = low;
    for (let b: u32 = 0; b < blocks; b++) {
      const xb = x + ((<usize>b) << 5);
      let lowDot = FourRows.dot(bits, w, xb, mask);
      let highDot = FourRows.dot(bits, w + (bits << 4), xb, mask);
      const sum = v128.load32_splat(xSums + ((<usize>b) << 2));
      const xScale = v128.load32_splat(xScales + ((<usize>b) << 2));
      if (isVoid<B>()) {
        const taken = i32x4.mul(sum, zero);
        lowDot = i32x4.sub(lowDot, taken);
        highDot = i32x4.sub(highDot, taken);
      }
      low = add_scaled(low, lowDot, load4<S>(scales), xScale);
      high = add_scaled(high, highDot, load4<S>(scales + 4 * sizeof<S>()), xScale);
      if (!isVoid<B>()) {
        low = add_scaled(low, sum, load4<S>(scales + biases), xScale);
        high = add_scaled(high, sum, load4<S>(scales + biases + 4 * sizeof<S>()), xScale);
      }
      w += bits << 5;
      // The blocks of a group are a power of two.
      if (isRow || (b & rest) != rest) continue;
      scales = w;
      w += codes;
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
    if (bits == 2) return FourRows.dot_pairs(p0, p1, x, mask);
    const p2 = bits > 2 ? v128.load(w, 32) : p0;
    const p3 = bits > 3 ? v128.load(w, 48) : p0;
    const p4 = bits > 4 ? v128.load(w, 64) : p0;
    const p5 = bits > 5 ? v128.load(w, 80) : p0;
    // In an order that is soon done with the first planes.
    const d01 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 0), Codes.of(bits, 0, mask, p0, p1, p2, p3, p4, p5)),
      dot_i8_u7(v128.load32_splat(x, 4), Codes.of(bits, 1, mask, p0, p1, p2, p3, p4, p5)),
    );
    const d26 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 8), Codes.of(bits, 2, mask, p0, p1, p2, p3, p4, p5)),
      dot_i8_u7(v128.load32_splat(x, 24), Codes.of(bits, 6, mask, p0, p1, p2, p3, p4, p5)),
    );
    const front = bits == 6 ? i32x4.add(widened(d01), widened(d26)) : i16x8.add(d01, d26);
    const d34 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 12), Codes.of(bits, 3, mask, p0, p1, p2, p3, p4, p5)),
      dot_i8_u7(v128.load32_splat(x, 16), Codes.of(bits, 4, mask, p0, p1, p2, p3, p4, p5)),
    );
    const d57 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 20), Codes.of(bits, 5, mask, p0, p1, p2, p3, p4, p5)),
      dot_i8_u7(v128.load32_splat(x, 28), Codes.of(bits, 7, mask, p0, p1, p2, p3, p4, p5)),
    );
    if (bits == 6) return i32x4.add(i32x4.add(front, widened(d34)), widened(d57));
    if (bits == 5) return i32x4.add(widened(front), widened(i16x8.add(d34, d57)));
    return widened(i16x8.add(i16x8.add(front, d34), d57));
  }

  /** Of 2 bits, where every other pair stays in its place: four times as much, and less than 2^15 all the same. */
  @inline static dot_pairs(p0: v128, p1: v128, x: usize, mask: v128): v128 {
    const places = i16x8.shl(mask, 2);
    const t0 = i16x8.shr_u(p0, 4);
    const t1 = i16x8.shr_u(p1, 4);
    let ones = dot_i8_u7(v128.load32_splat(x), v128.and(p0, mask));
    ones = i16x8.add(ones, dot_i8_u7(v128.load32_splat(x, 4), v128.and(p1, mask)));
    let fours = dot_i8_u7(v128.load32_splat(x, 8), v128.and(p0, places));
    fours = i16x8.add(fours, dot_i8_u7(v128.load32_splat(x, 12), v128.and(p1, places)));
    ones = i16x8.add(ones, dot_i8_u7(v128.load32_splat(x, 16), v128.and(t0, mask)));
    ones = i16x8.add(ones, dot_i8_u7(v128.load32_splat(x, 20), v128.and(t1, mask)));
    fours = i16x8.add(fours, dot_i8_u7(v128.load32_splat(x, 24), v128.and(t0, places)));
    fours = i16x8.add(fours, dot_i8_u7(v128.load32_splat(x, 28), v128.and(t1, places)));
    return widened(i16x8.add(ones, i16x8.shr_s(fours, 2)));
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
