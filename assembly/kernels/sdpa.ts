// out = softmax(q K^T * scale) V over the row's KV pages, for the heads that share one K and V at a time.
//
//   out, q f32 [rows, heads, headDim]
//   rows   row table of the step; a row sees positions (position - window, position], window 0: all
//   pages  layout in kv_page.ts, T its type; headDim % 4 == 0, heads % kvHeads == 0
//   scratch f32 [g, 32] weights of a tile, g = heads / kvHeads; [headDim, 32] K and [32, headDim] V of a tile,
//           widened; then the state (sdpa_state.ts) of each of the g heads
//
// Computes (row, kvHead) pairs [begin, end), numbered row * kvHeads + kvHead.
//
// Online softmax (Milakov and Gimelshein 2018) over tiles of 32 positions, which are pages. Positions are
// cut in segments of 256; each gives (max, sum, values), merged in ascending order. So the order of all
// sums depends on positions only, neither on how rows were batched nor on which thread took a segment.
// Masked positions are skipped: pages may hold garbage there.
// A tile of float16 or int8 is converted to f32 once for all heads that share it.

import {
  PAGE_POSITIONS,
  ROW_BYTES,
  ROW_PAGES,
  ROW_POSITION,
  SEGMENT_POSITIONS,
} from '../op_layout';
import { TWO_112 } from '../simd';
import { head_bytes, page_layer } from './kv_page';
import { clear, divide, merge, SEGMENT_KEEP, SUM, VALUES, weigh } from './sdpa_state';
import { add_values, scores, widen } from './sdpa_tile';
import { multiply } from './sdpa_weights';

/** Bytes of the weights of a head in a tile. */
const TILE: usize = PAGE_POSITIONS << 2;

export function sdpa<T>(
  out: usize,
  q: usize,
  rows: usize,
  heads: u32,
  kvHeads: u32,
  headDim: u32,
  scale: f32,
  window: u32,
  layerOffset: usize,
  scratch: usize,
  begin: u32,
  end: u32,
): void {
  const gqaFactor = heads / kvHeads;
  const headBytes = head_bytes<T>(headDim);
  const vDistance = kvHeads * headBytes; // from a head's K to its V
  const kTile = scratch + gqaFactor * TILE;
  const vTile = kTile + head_bytes<f32>(headDim);
  const states = vTile + head_bytes<f32>(headDim);
  const stateBytes: usize = VALUES + (headDim << 2);
  // Widened float16 values lack 2^112, which their weights bring: one product less a value, the same bits.
  const vFactor: f32 = sizeof<T>() == 2 ? TWO_112 : 1;
  for (let pair = begin; pair < end; pair++) {
    const row = pair / kvHeads;
    const kvHead: usize = pair % kvHeads;
    const pages = load<u32>(rows + row * ROW_BYTES, ROW_PAGES);
    const position = load<u32>(rows + row * ROW_BYTES, ROW_POSITION);
    const first = window && position >= window ? position + 1 - window : 0;
    const kOffset = layerOffset + kvHead * headBytes;
    const scalesDistance = 2 * vDistance - kvHead * headBytes + ((kvHead * PAGE_POSITIONS) << 2);
    const at = ((<usize>row * heads + kvHead * gqaFactor) * headDim) << 2;
    for (let from = first; from <= position; from = (from | (SEGMENT_POSITIONS - 1)) + 1) {
      const to = min<u32>(position + 1, (from | (SEGMENT_POSITIONS - 1)) + 1);
      for (let h: usize = 0; h < gqaFactor; h++) clear(states + h * stateBytes, headDim);
      for (let p = from; p < to; p = (p | (PAGE_POSITIONS - 1)) + 1) {
        const k = page_layer(pages, p, kOffset);
        const kScales = k + scalesDistance;
        const vScales = kScales + ((<usize>kvHeads * PAGE_POSITIONS) << 2);
        const tile = p & ~(PAGE_POSITIONS - 1);
        const last = min<u32>(to - tile, PAGE_POSITIONS);
        if (sizeof<T>() < 4) {
          widen<T>(kTile, k, headDim, true);
          widen<T>(vTile, k + vDistance, headDim, false);
        }
        const kWide = sizeof<T>() < 4 ? kTile : k;
        const vWide = sizeof<T>() < 4 ? vTile : k + vDistance;
        // One thing at a time for all heads: the exponentials of one head hide behind those of the next.
        for (let h: usize = 0; h < gqaFactor; h++) {
          const weights = scratch + h * TILE;
          scores(weights, q + at + ((h * headDim) << 2), kWide, headDim, scale);
          if (sizeof<T>() == 1) multiply(weights, kScales);
        }
        for (let h: usize = 0; h < gqaFactor; h++) {
          const weights = scratch + h * TILE;
          weigh(weights, states + h * stateBytes, p - tile, last, vFactor);
          if (sizeof<T>() == 1) multiply(weights, vScales);
        }
        for (let h: usize = 0; h < gqaFactor; h++) {
          const state = states + h * stateBytes;
          const keep = load<f32>(state, SEGMENT_KEEP);
          add_values(state + VALUES, scratch + h * TILE, vWide, headDim, keep, p - tile, last);
        }
      }
      for (let h: usize = 0; h < gqaFactor; h++) {
        merge(out + at + ((h * headDim) << 2), states + h * stateBytes, headDim, from == first);
      }
    }
    for (let h: usize = 0; h < gqaFactor; h++) {
      const sum = load<f32>(states + h * stateBytes, SUM);
      divide(out + at + ((h * headDim) << 2), headDim, sum);
    }
  }
}
