// Y = X W^T with float weights of which only some are there: y[i, o] = sum over k, ascending, of x[i, k] * w[o, k], in
// one f32 sum, w being 0 where none is.
//
//   y, x as operands.ts draws them
//   packed  as sparse_panel.ts draws it; floats of PACKED_DTYPE, finite
//   scratch SPARSE_BYTES: f32 [32, 8], a block's weights for each k; then f32 [m, 8], the panel's running sums
//
// Up to 3 numbers behind the last of a panel are read, whatever they are. Computes panels [begin, end) for all m rows.

import { BLOCK, SPARSE_BYTES } from '../op_layout';
import { panel_at } from './code_panel';
import { load_scales, scale_bytes } from './group_scales';
import { dtype_of, k_of, x_of } from './operands';
import { store_panel } from './panel';
import { count_block, MASK_BYTES, mask_at, nonzeros_at } from './sparse_panel';

/** For every 4 bits of a mask, the bytes of the non-zeros that are its 4 weights; negative: none. */
const PLACES = memory.data<u32>(
  [
    0x80808080, 0x80808080, 0x80808080, 0x80808080, 0x03020100, 0x80808080, 0x80808080, 0x80808080,
    0x80808080, 0x03020100, 0x80808080, 0x80808080, 0x03020100, 0x07060504, 0x80808080, 0x80808080,
    0x80808080, 0x80808080, 0x03020100, 0x80808080, 0x03020100, 0x80808080, 0x07060504, 0x80808080,
    0x80808080, 0x03020100, 0x07060504, 0x80808080, 0x03020100, 0x07060504, 0x0b0a0908, 0x80808080,
    0x80808080, 0x80808080, 0x80808080, 0x03020100, 0x03020100, 0x80808080, 0x80808080, 0x07060504,
    0x80808080, 0x03020100, 0x80808080, 0x07060504, 0x03020100, 0x07060504, 0x80808080, 0x0b0a0908,
    0x80808080, 0x80808080, 0x03020100, 0x07060504, 0x03020100, 0x80808080, 0x07060504, 0x0b0a0908,
    0x80808080, 0x03020100, 0x07060504, 0x0b0a0908, 0x03020100, 0x07060504, 0x0b0a0908, 0x0f0e0d0c,
  ],
  16,
);

export function matmul_sparse_float(
  op: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const k = k_of(op);
  const sums = scratch + SPARSE_BYTES;
  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    let mask = mask_at(packed, panel_at(packed, panel));
    let w = nonzeros_at(packed, panel);
    let x = x_of(op);
    for (let first: u32 = 0; first < k; first += BLOCK, mask += MASK_BYTES, x += 4 * BLOCK) {
      const width = min<u32>(BLOCK, k - first);
      if (count_block(mask) == 0) {
        add_nothing(sums, x, m, k, width);
      } else {
        w = expand(scratch, mask, w, width, dtype_of(packed));
        add_block(sums, x, m, k, width, scratch);
      }
    }
    for (let i: u32 = 0; i < m; i++) {
      const at = sums + ((<usize>i) << 5);
      store_panel(op, i, panel, v128.load(at), v128.load(at, 16));
    }
  }
}

/** Writes the weights of `width` k as f32 [width, 8]. Returns where the non-zeros go on. */
function expand(tile: usize, mask: usize, w: usize, width: u32, dtype: u32): usize {
  const size = scale_bytes(dtype);
  for (const end = mask + width; mask < end; mask++, tile += 32) {
    const rows: usize = load<u8>(mask);
    const low = rows & 15;
    const high = rows >> 4;
    v128.store(tile, i8x16.swizzle(load_scales(dtype, w), v128.load(PLACES + (low << 4))));
    w += popcnt(low) * size;
    v128.store(tile, i8x16.swizzle(load_scales(dtype, w), v128.load(PLACES + (high << 4))), 16);
    w += popcnt(high) * size;
  }
  return w;
}

/** Adds `width` k at `x` times the weights at `tile` to the sums of all m rows. */
function add_block(sums: usize, x: usize, m: u32, k: u32, width: u32, tile: usize): void {
  const tileEnd = tile + ((<usize>width) << 5);
  for (let i: u32 = 0; i < m; i++, sums += 32, x += k << 2) {
    let low = v128.load(sums);
    let high = v128.load(sums, 16);
    for (let t = tile, at = x; t < tileEnd; t += 32, at += 4) {
      const xk = v128.load32_splat(at);
      low = f32x4.add(low, f32x4.mul(xk, v128.load(t)));
      high = f32x4.add(high, f32x4.mul(xk, v128.load(t, 16)));
    }
    v128.store(sums, low);
    v128.store(sums, high, 16);
  }
}

/** The same for a block without weights: 0 times an infinity or NaN is NaN all the same. */
function add_nothing(sums: usize, x: usize, m: u32, k: u32, width: u32): void {
  for (let i: u32 = 0; i < m; i++, sums += 32, x += k << 2) {
    let nothing: f32 = 0;
    for (let at: usize = 0; at < (<usize>width) << 2; at += 4) nothing += load<f32>(x + at) * 0;
    v128.store(sums, f32x4.add(v128.load(sums), f32x4.splat(nothing)));
    v128.store(sums, f32x4.add(v128.load(sums, 16), f32x4.splat(nothing)), 16);
  }
}
