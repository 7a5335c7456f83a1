// From a checkpoint's palettes to the panels that matvec_lut4.ts draws.

import { PANEL } from '../op_layout';
import { is_finite, load1 } from '../simd';
import { LUT4_HEAD } from './matvec_lut4';
import { interleave_q4 } from './pack';
import { nibbles_of_row } from './panel';

/** Rows that share a table in the file. */
const GROUP: u32 = 16;

/**
 * Packs `rows` rows into consecutive panels at `to`; the first begins a group.
 * indices: 4-bit stream [rows, blocks * 16 bytes], low nibble first. scales: S [rows].
 * luts: i8 [ceil(rows / 16), 16], -64..63. Returns the first row whose scale is not finite, or -1.
 */
export function pack_lut4<S>(
  to: usize,
  indices: usize,
  scales: usize,
  luts: usize,
  rows: u32,
  blocks: u32,
): i32 {
  const panelBytes = LUT4_HEAD + ((<usize>blocks) << 7);
  for (let row: u32 = 0; row < rows; row += PANEL, to += panelBytes) {
    const lut = v128.load(luts + ((<usize>(row / GROUP)) << 4));
    v128.store(to, i8x16.add(lut, i8x16.splat(64)));
    for (let r: u32 = 0; r < <u32>PANEL; r++) {
      const at = scales + <usize>(row + r) * sizeof<S>();
      if (row + r < rows && !is_finite<S>(load<S>(at))) return <i32>(row + r);
      store<f32>(to + 16 + ((<usize>r) << 2), row + r < rows ? load1<S>(at) : 0);
    }
    for (let r: u32 = 0; r < <u32>PANEL; r++) {
      interleave_q4(to + LUT4_HEAD + nibbles_of_row(r), 128, indices, row + r, rows, blocks);
    }
  }
  return -1;
}
