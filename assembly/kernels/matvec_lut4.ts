// y = W x for one row of int8 activations and 4-bit palettes:
//
//   y[o] = scale[o] * sum over blocks b, ascending, of
//            f32(dot(lut[index[o, b]], x[b]) - 64 * sum(x[b])) * xScale[b]
//
//   y, x, xScales, xSums as operands.ts draws them, m = 1
//   weights     [ceil(n / 8)] panels of
//                 lut    u8 [16]   the entries + 64: 0..127
//                 scales f32 [8]
//                 indices [blocks, 128] bytes, nibbles as in matvec_q4
//
// 4 rows x 4 k are looked up by one swizzle, since the rows of a panel share their table. A pair of products
// just fits i16, 2 * 127 * 127 = 32258, so every dot is widened to i32 before it is added.
// Two quads a turn of the loop: in a longer body the compiler keeps more splats of x than fit the registers.

import { dot4_i8_u7, swizzle } from '../simd';
import { NIBBLES } from './matvec_q4';
import { blocks_of, weights_of, x_of, x_scales_of, x_sums_of } from './operands';
import { store_panel } from './panel';

/** Bytes of a panel before its records. */
export const LUT4_HEAD: usize = 48;

export function matvec_lut4(op: usize, packed: usize, begin: u32, end: u32): void {
  const x = x_of(op);
  const xScales = x_scales_of(op);
  const xSums = x_sums_of(op);
  const blocks = blocks_of(op);
  const nibbles = v128.load(NIBBLES);
  const ones = i16x8.shr_u(nibbles, 11);
  const panelBytes = LUT4_HEAD + ((<usize>blocks) << 7);

  for (let panel = begin; panel < end; panel++) {
    const head = weights_of(packed) + <usize>panel * panelBytes;
    const lut = v128.load(head);
    let w = head + LUT4_HEAD;
    let quads = x;
    let low = f32x4.splat(0);
    let high = f32x4.splat(0);
    for (let b: usize = 0; b < blocks; b++) {
      let lowDot = i32x4.neg(i32x4.shl(v128.load32_splat(xSums + (b << 2)), 6));
      let highDot = lowDot;
      for (const last = w + 64; w < last; w += 16, quads += 8) {
        const x0 = v128.load32_splat(quads);
        const x1 = v128.load32_splat(quads, 4);
        let packed = v128.load(w);
        let k0 = swizzle(lut, v128.and(packed, nibbles));
        let k1 = swizzle(lut, v128.and(i16x8.shr_u(packed, 4), nibbles));
        lowDot = i32x4.add(lowDot, dot4_i8_u7(x0, k0, ones));
        lowDot = i32x4.add(lowDot, dot4_i8_u7(x1, k1, ones));
        packed = v128.load(w, 64);
        k0 = swizzle(lut, v128.and(packed, nibbles));
        k1 = swizzle(lut, v128.and(i16x8.shr_u(packed, 4), nibbles));
        highDot = i32x4.add(highDot, dot4_i8_u7(x0, k0, ones));
        highDot = i32x4.add(highDot, dot4_i8_u7(x1, k1, ones));
      }
      w += 64;
      const xScale = v128.load32_splat(xScales + (b << 2));
      low = f32x4.add(low, f32x4.mul(f32x4.convert_i32x4_s(lowDot), xScale));
      high = f32x4.add(high, f32x4.mul(f32x4.convert_i32x4_s(highDot), xScale));
    }
    low = f32x4.mul(low, v128.load(head, 16));
    high = f32x4.mul(high, v128.load(head, 32));
    store_panel(op, 0, panel, low, high);
  }
}
