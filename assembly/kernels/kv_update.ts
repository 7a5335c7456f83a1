// Writes each row's k and v into its KV page at its position.
//
//   rows row table of the step (op_layout.ts)
//   k, v f32 [rows, kvHeads, headDim]
//   T    type of the cache, layout in kv_page.ts. float16 saturates at 65504; int8 has one scale per
//        position and head: scale = max / 127, q = round half even(value / scale); below TINY all is zero
//
// Writes rows [begin, end). The caller guarantees that their pages are the row's own (not shared).

import { PAGE_POSITIONS, ROW_BYTES, ROW_PAGES, ROW_POSITION } from '../op_layout';
import { float16, TINY } from '../simd';
import { head_bytes, page_layer } from './kv_page';

export function kv_update<T>(
  rows: usize,
  k: usize,
  v: usize,
  kvHeads: u32,
  headDim: u32,
  layerOffset: usize,
  begin: u32,
  end: u32,
): void {
  const headBytes = head_bytes<T>(headDim);
  for (let row = begin; row < end; row++) {
    const position = load<u32>(rows + row * ROW_BYTES, ROW_POSITION);
    const layer = page_layer(load<u32>(rows + row * ROW_BYTES, ROW_PAGES), position, layerOffset);
    const slot = <usize>(position % PAGE_POSITIONS);
    const kScales = layer + 2 * kvHeads * headBytes + (slot << 2);
    const vScales = kScales + ((<usize>kvHeads * PAGE_POSITIONS) << 2);
    for (let h: usize = 0; h < kvHeads; h++) {
      const from = ((<usize>row * kvHeads + h) * headDim) << 2;
      const kTo = layer + h * headBytes + slot * sizeof<T>();
      const vTo = layer + (kvHeads + h) * headBytes + slot * headDim * sizeof<T>();
      const scaleAt = (h * PAGE_POSITIONS) << 2;
      write_head<T>(kTo, PAGE_POSITIONS * sizeof<T>(), k + from, headDim, kScales + scaleAt);
      write_head<T>(vTo, sizeof<T>(), v + from, headDim, vScales + scaleAt);
    }
  }
}

/** Writes headDim values, `stride` bytes apart. */
function write_head<T>(to: usize, stride: usize, x: usize, headDim: u32, scaleAt: usize): void {
  if (sizeof<T>() == 1) {
    let largest: f32 = 0;
    for (let i: usize = 0; i < headDim; i++)
      largest = max<f32>(largest, abs<f32>(load<f32>(x + (i << 2))));
    const scale: f32 = largest < TINY ? 0 : largest / 127;
    store<f32>(scaleAt, scale);
    for (let i: usize = 0; i < headDim; i++, to += stride) {
      const q = scale > 0 ? nearest<f32>(load<f32>(x + (i << 2)) / scale) : 0;
      store<i8>(to, <i8>(<i32>q));
    }
    return;
  }
  for (let i: usize = 0; i < headDim; i++, to += stride) {
    const value = load<f32>(x + (i << 2));
    if (sizeof<T>() == 2) store<u16>(to, float16(value));
    else store<f32>(to, value);
  }
}
