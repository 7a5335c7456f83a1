// Y = X W^T with float weights: y[i, o] = sum over k, ascending, of x[i, k] * w[o, k], in one f32 sum
// (float_rows.ts).
//
//   y, x    as operands.ts draws them
//   weights T   [ceil(n / 8), k, 8]   T: f32, i16 (float16), u16 (bfloat16); finite
//   sums    f32 [m, 8]                scratch

import { add_rows, store_rows } from './float_rows';
import { k_of, weights_of, x_of } from './operands';

export function matmul_float<T>(
  op: usize,
  packed: usize,
  sums: usize,
  m: u32,
  begin: u32,
  end: u32,
): void {
  const k = k_of(op);
  const panelBytes = <usize>k * 8 * sizeof<T>();
  for (let panel = begin; panel < end; panel++) {
    memory.fill(sums, 0, (<usize>m) << 5);
    add_rows<T>(sums, x_of(op), (<usize>k) << 2, weights_of(packed) + panel * panelBytes, m, k);
    store_rows(op, sums, m, panel);
  }
}
