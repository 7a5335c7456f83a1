// out[row] = cos then sin of position * frequency.
//
//   out         f32 [rows, headDim]   cos [headDim / 2], sin [headDim / 2]
//   rows        row table of the step (op_layout.ts)
//   frequencies f64 [headDim / 2]
//
// Computes rows [begin, end), once a step for all layers. Angles are f64: at position 32768 a float32 angle
// would be off by 2e-3.

import { sin64 } from '../math';
import { ROW_BYTES, ROW_POSITION } from '../op_layout';

export function rope_angles(
  out: usize,
  rows: usize,
  frequencies: usize,
  headDim: u32,
  begin: u32,
  end: u32,
): void {
  const half = headDim >> 1;
  for (let row = begin; row < end; row++) {
    const position = <f64>load<u32>(rows + row * ROW_BYTES, ROW_POSITION);
    const cos = out + ((<usize>row * headDim) << 2);
    const sin = cos + ((<usize>half) << 2);
    for (let i: usize = 0; i < half; i++) {
      const angle = position * load<f64>(frequencies + (i << 3));
      store<f32>(cos + (i << 2), <f32>sin64(angle, 1));
      store<f32>(sin + (i << 2), <f32>sin64(angle, 0));
    }
  }
}
