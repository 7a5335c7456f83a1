// y = W x for one row of int8 activations and codes of 1, 2, 3, 5 or 6 bits: matmul_tile's sum for m = 1, in the
// same order, where a group is whole blocks or a row.
//
//   y, x, xScales, xSums as operands.ts draws them, m = 1
//   packed      as code_panel.ts draws it
//   scratch     f32 [blocks, 8] the panel's scales by block, and as many biases
//   Width       one of the classes below
//   B           f32 with biases of groups, else void
//
// Codes of up to 6 bits are operands of the exact dot as they are; their zero is taken off the block's sum. The
// pairs of products are added in i16 as long as they fit: all 8 quads of up to 4 bits (8 * 2 * 127 * 15 < 2^15), 4 of
// 5 bits, 2 of 6.
// Scales are widened panel by panel before the loop over blocks: whatever their type and group, it reads one f32 for
// each row, and holds no branch that would make the compiler spill.

import { DTYPE_F16, DTYPE_F32 } from '../op_layout';
import { dot_i8_u7, load4 } from '../simd';
import { biases_at, codes_at, group_of, panel_at, zero_of } from './code_panel';
import { Codes } from './codes';
import { blocks_of, dtype_of, x_of, x_scales_of, x_sums_of } from './operands';
import { add_scaled, store_panel } from './panel';
import { offset_of, store_scaled_panel } from './row_scales';

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

export function matvec_codes<Width, B>(
  op: usize,
  packed: usize,
  scratch: usize,
  begin: u32,
  end: u32,
): void {
  const x = x_of(op);
  const xScales = x_scales_of(op);
  const xSums = x_sums_of(op);
  const blocks = blocks_of(op);
  const bits = changetype<Width>(0).value();
  const zero = i32x4.splat(zero_of(packed));
  const isRow = group_of(packed) == 0;
  const biases = scratch + ((<usize>blocks) << 5);
  // A row's one scale comes last, and until then it is 1.
  if (isRow) ones(scratch, blocks);
  const offset = isRow ? offset_of(op, packed, 1, 0) : 0;

  for (let panel = begin; panel < end; panel++) {
    const s = panel_at(packed, panel);
    let w = codes_at(packed, s);
    if (!isRow) widen(scratch, packed, s, blocks);
    if (!isVoid<B>()) widen(biases, packed, s + biases_at(packed, blocks), blocks);
    let low = f32x4.splat(0);
    let high = low;
    for (let b: usize = 0; b < blocks; b++, w += bits << 5) {
      const xb = x + (b << 5);
      let lowDot = FourRows.dot<Width>(w, xb);
      let highDot = FourRows.dot<Width>(w + (bits << 4), xb);
      const sum = v128.load32_splat(xSums + (b << 2));
      const xScale = v128.load32_splat(xScales + (b << 2));
      const at = scratch + (b << 5);
      if (isVoid<B>()) {
        const taken = i32x4.mul(sum, zero);
        lowDot = i32x4.sub(lowDot, taken);
        highDot = i32x4.sub(highDot, taken);
      }
      low = add_scaled(low, lowDot, v128.load(at), xScale);
      high = add_scaled(high, highDot, v128.load(at, 16), xScale);
      if (!isVoid<B>()) {
        low = add_scaled(low, sum, v128.load(biases + (b << 5)), xScale);
        high = add_scaled(high, sum, v128.load(biases + (b << 5), 16), xScale);
      }
    }
    if (isRow) store_scaled_panel(op, 0, packed, panel, s, low, high, offset);
    else store_panel(op, 0, panel, low, high);
  }
}

/** f32 [blocks, 8]: the scales (or biases) of a panel's groups at `from`, by block. */
function widen(to: usize, packed: usize, from: usize, blocks: u32): void {
  const dtype = dtype_of(packed);
  const blocksOfGroup = group_of(packed) >> 5;
  if (dtype == DTYPE_F16) widen_as<i16>(to, from, blocks, blocksOfGroup);
  else if (dtype == DTYPE_F32) widen_as<f32>(to, from, blocks, blocksOfGroup);
  else widen_as<u16>(to, from, blocks, blocksOfGroup);
}

/** blocksOfGroup: 1, 2 or 4. */
function widen_as<S>(to: usize, from: usize, blocks: u32, blocksOfGroup: u32): void {
  let low = f32x4.splat(0);
  let high = low;
  for (let b: u32 = 0; b < blocks; b++, to += 32) {
    if ((b & (blocksOfGroup - 1)) == 0) {
      low = load4<S>(from);
      high = load4<S>(from + 4 * sizeof<S>());
      from += 8 * sizeof<S>();
    }
    v128.store(to, low);
    v128.store(to, high, 16);
  }
}

function ones(to: usize, blocks: u32): void {
  for (const end = to + ((<usize>blocks) << 5); to < end; to += 16) v128.store(to, f32x4.splat(1));
}

class FourRows {
  /**
   * Four rows of a block times its 32 x at `x`, which are loaded as they are used: held for both halves of the
   * panel, they and the masks would not fit the registers. Inlined: as a function it would stay a call.
   */
  @inline static dot<Width>(w: usize, x: usize): v128 {
    const bits = changetype<Width>(0).value();
    const d01 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x), Codes.quad(w, bits, 0)),
      dot_i8_u7(v128.load32_splat(x, 4), Codes.quad(w, bits, 1)),
    );
    const d23 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 8), Codes.quad(w, bits, 2)),
      dot_i8_u7(v128.load32_splat(x, 12), Codes.quad(w, bits, 3)),
    );
    const d45 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 16), Codes.quad(w, bits, 4)),
      dot_i8_u7(v128.load32_splat(x, 20), Codes.quad(w, bits, 5)),
    );
    const d67 = i16x8.add(
      dot_i8_u7(v128.load32_splat(x, 24), Codes.quad(w, bits, 6)),
      dot_i8_u7(v128.load32_splat(x, 28), Codes.quad(w, bits, 7)),
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
