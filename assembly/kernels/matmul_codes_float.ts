// Y = X W^T for m rows of float activations and codes of any width, group and table, through a tile of 8 rows x 32 k
// that is unpacked to f32 in the first-level cache and serves all m rows:
//
//   y[i, o] = sum over k, ascending, of x[i, k] * w[o, k], in one f32 sum, as matmul_float's
//   w[o, k] = f32(f32(scale[o, g] * v[o, k]) + bias[o, g])   (float_tile.ts)
//
//   y, x        as operands.ts draws them; x f32 [m, k]
//   packed      header, tables and panels, as code_panel.ts draws them
//   scratch     the tile, FLOAT_TILE_BYTES; then f32 [m, 8], the panel's running sums
//
// One row takes whole blocks as they are unpacked, without the tile. Padding along k is never multiplied.

import { BLOCK, FLOAT_TILE_BYTES } from '../op_layout';
import { add_rows, store_rows } from './float_rows';
import { add_block, fill_tile, take_tables } from './float_tile';
import { blocks_of, k_of, n_of, x_of } from './operands';

export function matmul_codes_float(
  op: usize,
  packed: usize,
  scratch: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const k = k_of(op);
  const blocks = blocks_of(op);
  const sums = scratch + FLOAT_TILE_BYTES;
  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    take_tables(scratch, packed, panel, n_of(op));
    for (let b: u32 = 0; b < blocks; b++) {
      const first = b * BLOCK;
      const x = x_of(op) + ((<usize>first) << 2);
      if (m == 1 && first + BLOCK <= k) {
        add_block(scratch, packed, panel, b, x, sums);
        continue;
      }
      fill_tile(scratch, packed, panel, b);
      add_rows<f32>(sums, x, (<usize>k) << 2, scratch, m, min<u32>(BLOCK, k - first));
    }
    store_rows(op, sums, m, panel);
  }
}
