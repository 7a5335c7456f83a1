// A KV page holds 32 positions, layer after layer. One layer of a page:
//
//   K       T [kvHeads, headDim, 32]   positions innermost: 32 scores need no sums across lanes
//   V       T [kvHeads, 32, headDim]
//   kScales f32 [kvHeads, 32]          int8 only: value = q * scale
//   vScales f32 [kvHeads, 32]          int8 only
//
//   T: f32, i16 (float16), i8

import { PAGE_POSITIONS } from '../op_layout';

/** Bytes of one head's K, or of its V. */
export function head_bytes<T>(headDim: u32): usize {
  return <usize>headDim * PAGE_POSITIONS * sizeof<T>();
}

/** Address of a layer of the page that holds `position`. */
export function page_layer(pages: usize, position: u32, layerOffset: usize): usize {
  return load<u32>(pages + ((<usize>(position / PAGE_POSITIONS)) << 2)) + layerOffset;
}
