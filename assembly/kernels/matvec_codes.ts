// y = W x for one row of int8 activations and codes of 1, 2, 3, 5 or 6 bits: matmul_tile's sum for m = 1, in the
// same order, where a group is whole blocks or a row.
//
//   y       f32 [n]
//   x       i8  [blocks, 32]   within +-127; padding along k is zero
//   xScales f32 [blocks]
//   xSums   i32 [blocks]       sum of the 32 values
//   packed      as code_panel.ts draws it
//   Width       one of the classes below
//
// The caller guarantees blocks > 0 and weights padded to whole panels. Computes panels [begin, end).
//
// Codes of up to 6 bits are operands of the exact dot as they are; their zero is taken off the block's sum. The
// pairs of products are added in i16 as long as they fit: all 8 quads of up to 4 bits (8 * 2 * 127 * 15 < 2^15), 4 of
// 5 bits, 2 of 6.

import { dot_i8_u7 } from '../simd';
import {
  dtype_of,
  group_of,
  groups_of,
  has_bias,
  load_scales,
  panel_at,
  scale_bytes,
  scales_at,
} from './code_panel';
import { Codes } from './codes';
import { add_scaled, store_panel } from './panel';

export class Bits1 {
  value(): u32 {
    return 1;
  }
}

export class Bits2 {
  value(): u32 {
    return 2;
  }
}

export class Bits3 {
  value(): u32 {
    return 3;
  }
}

export class Bits5 {
  value(): u32 {
    return 5;
  }
}

export class Bits6 {
  value(): u32 {
    return 6;
  }
}

export function matvec_codes<Width>(
  y: usize,
  x: usize,
  xScales: usize,
  xSums: usize,
  packed: usize,
  n: u32,
  blocks: u32,
  begin: u32,
  end: u32,
): void {
  const bits = changetype<Width>(0).value();
  const dtype = dtype_of(packed);
  const hasBias = has_bias(packed);
  const half = 4 * scale_bytes(dtype);
  const biases = <usize>groups_of(packed, blocks) * 2 * half;
  const isRow = group_of(packed) == 0;
  const blocksOfGroup = isRow ? blocks : group_of(packed) >> 5;
  const none = f32x4.splat(0);

  for (let panel = begin; panel < end; panel++) {
    let w = panel_at(packed, panel);
    let s = scales_at(packed, w);
    let low = none;
    let high = none;
    let offsets = none;
    for (let b: u32 = 0; b < blocks; s += 2 * half) {
      // A row's one scale comes last, and until then it is 1.
      const lowScale = isRow ? f32x4.splat(1) : load_scales(dtype, s);
      const highScale = isRow ? lowScale : load_scales(dtype, s + half);
      const lowBias = isRow || !hasBias ? none : load_scales(dtype, s + biases);
      const highBias = isRow || !hasBias ? none : load_scales(dtype, s + half + biases);
      for (const last = min(b + blocksOfGroup, blocks); b < last; b++, w += bits << 5) {
        const xb = x + ((<usize>b) << 5);
        const x0 = v128.load32_splat(xb);
        const x1 = v128.load32_splat(xb, 4);
        const x2 = v128.load32_splat(xb, 8);
        const x3 = v128.load32_splat(xb, 12);
        const x4 = v128.load32_splat(xb, 16);
        const x5 = v128.load32_splat(xb, 20);
        const x6 = v128.load32_splat(xb, 24);
        const x7 = v128.load32_splat(xb, 28);
        let lowDot = FourRows.dot<Width>(w, x0, x1, x2, x3, x4, x5, x6, x7);
        let highDot = FourRows.dot<Width>(w + (bits << 4), x0, x1, x2, x3, x4, x5, x6, x7);

        const sum = v128.load32_splat(xSums + ((<usize>b) << 2));
        const xScale = v128.load32_splat(xScales + ((<usize>b) << 2));
        if (!hasBias) {
          const zero = i32x4.shl(sum, bits - 1);
          lowDot = i32x4.sub(lowDot, zero);
          highDot = i32x4.sub(highDot, zero);
        }
        low = add_scaled(low, lowDot, lowScale, xScale);
        high = add_scaled(high, highDot, highScale, xScale);
        if (hasBias && !isRow) {
          low = add_scaled(low, sum, lowBias, xScale);
          high = add_scaled(high, sum, highBias, xScale);
        } else if (hasBias) {
          offsets = add_scaled(offsets, sum, lowScale, xScale);
        }
      }
    }
    if (isRow) {
      s -= 2 * half;
      low = with_row_scales(low, offsets, dtype, s, biases, hasBias);
      high = with_row_scales(high, offsets, dtype, s + half, biases, hasBias);
    }
    store_panel(y, n, panel, low, high);
  }
}

/** acc * scale + offsets * bias: the end of rows that have one scale each. */
export function with_row_scales(
  acc: v128,
  offsets: v128,
  dtype: u32,
  scales: usize,
  biases: usize,
  hasBias: bool,
): v128 {
  const scaled = f32x4.mul(acc, load_scales(dtype, scales));
  if (!hasBias) return scaled;
  return f32x4.add(scaled, f32x4.mul(offsets, load_scales(dtype, scales + biases)));
}

class FourRows {
  /** Four rows of a block times its x, given as splats of 4 k. As a function it would stay a call. */
  @inline static dot<Width>(
    w: usize,
    x0: v128,
    x1: v128,
    x2: v128,
    x3: v128,
    x4: v128,
    x5: v128,
    x6: v128,
    x7: v128,
  ): v128 {
    const bits = changetype<Width>(0).value();
    const d01 = i16x8.add(
      dot_i8_u7(x0, Codes.quad(w, bits, 0)),
      dot_i8_u7(x1, Codes.quad(w, bits, 1)),
    );
    const d23 = i16x8.add(
      dot_i8_u7(x2, Codes.quad(w, bits, 2)),
      dot_i8_u7(x3, Codes.quad(w, bits, 3)),
    );
    const d45 = i16x8.add(
      dot_i8_u7(x4, Codes.quad(w, bits, 4)),
      dot_i8_u7(x5, Codes.quad(w, bits, 5)),
    );
    const d67 = i16x8.add(
      dot_i8_u7(x6, Codes.quad(w, bits, 6)),
      dot_i8_u7(x7, Codes.quad(w, bits, 7)),
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
