// out = softmax(q K^T * scale) V for one row and one head at a time, over the row's KV pages.
//
//   out, q f32 [rows, heads, headDim]
//   rows   row table of the step; a row sees positions (position - window, position], window 0: all
//   pages  layout in kv_page.ts, T its type; headDim % 4 == 0, heads % kvHeads == 0
//   scratch f32 [32 + headDim]: a tile's weights, then a segment's sums
//
// Computes (row, kvHead) pairs [begin, end), numbered row * kvHeads + kvHead.
//
// Online softmax (Milakov and Gimelshein 2018) over tiles of 32 positions, which are pages. Positions are
// cut in segments of 256; each gives (max, sum, values), merged in ascending order. So the order of all
// sums depends on positions only, neither on how rows were batched nor on which thread took a segment.
// Masked positions are skipped: pages may hold garbage there.

import {
  PAGE_POSITIONS,
  ROW_BYTES,
  ROW_PAGES,
  ROW_POSITION,
  SEGMENT_POSITIONS,
} from '../op_layout';
import { exp1, exp4, load4, max4, sum4 } from '../simd';
import { head_bytes, page_layer } from './kv_page';

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
  for (let pair = begin; pair < end; pair++) {
    const row = pair / kvHeads;
    const kvHead: usize = pair % kvHeads;
    const pages = load<u32>(rows + row * ROW_BYTES, ROW_PAGES);
    const position = load<u32>(rows + row * ROW_BYTES, ROW_POSITION);
    const first = window && position >= window ? position + 1 - window : 0;
    const kOffset = layerOffset + kvHead * headBytes;
    const scalesDistance = 2 * vDistance - kvHead * headBytes + ((kvHead * PAGE_POSITIONS) << 2);
    let at = ((<usize>row * heads + kvHead * gqaFactor) * headDim) << 2;
    for (let h: u32 = 0; h < gqaFactor; h++, at += (<usize>headDim) << 2) {
      let max: f32 = -Infinity;
      let sum: f32 = 0;
      const values = scratch + (PAGE_POSITIONS << 2);
      for (let from = first; from <= position; from = (from | (SEGMENT_POSITIONS - 1)) + 1) {
        const to = min<u32>(position + 1, (from | (SEGMENT_POSITIONS - 1)) + 1);
        let segmentMax: f32 = -Infinity;
        let segmentSum: f32 = 0;
        memory.fill(values, 0, (<usize>headDim) << 2);
        for (let p = from; p < to; p = (p | (PAGE_POSITIONS - 1)) + 1) {
          const k = page_layer(pages, p, kOffset);
          const tile = p & ~(PAGE_POSITIONS - 1);
          const last = min<u32>(to - tile, PAGE_POSITIONS);
          scores<T>(scratch, q + at, k, k + scalesDistance, headDim, scale);
          const newMax = max2(segmentMax, mask_and_max(scratch, p - tile, last));
          const keep = exp1(segmentMax - newMax);
          segmentSum = segmentSum * keep + exponentials(scratch, newMax);
          segmentMax = newMax;
          const vScales = k + scalesDistance + ((<usize>kvHeads * PAGE_POSITIONS) << 2);
          add_values<T>(values, scratch, k + vDistance, vScales, headDim, keep, p - tile, last);
        }
        const newMax = max2(max, segmentMax);
        const keep = exp1(max - newMax);
        const gain = exp1(segmentMax - newMax);
        merge(out + at, values, headDim, keep, gain, from == first);
        sum = sum * keep + segmentSum * gain;
        max = newMax;
      }
      divide(out + at, headDim, sum);
    }
  }
}

function max2(a: f32, b: f32): f32 {
  return a > b ? a : b;
}

/** weights[0..31] = q . K * scale for the 32 positions of a page. */
function scores<T>(
  weights: usize,
  q: usize,
  k: usize,
  kScales: usize,
  headDim: u32,
  scale: f32,
): void {
  let s0 = f32x4.splat(0);
  let s1 = s0;
  let s2 = s0;
  let s3 = s0;
  let s4 = s0;
  let s5 = s0;
  let s6 = s0;
  let s7 = s0;
  for (
    const end = q + ((<usize>headDim) << 2);
    q < end;
    q += 4, k += PAGE_POSITIONS * sizeof<T>()
  ) {
    const qd = v128.load32_splat(q);
    s0 = f32x4.add(s0, f32x4.mul(qd, load4<T>(k)));
    s1 = f32x4.add(s1, f32x4.mul(qd, load4<T>(k + 4 * sizeof<T>())));
    s2 = f32x4.add(s2, f32x4.mul(qd, load4<T>(k + 8 * sizeof<T>())));
    s3 = f32x4.add(s3, f32x4.mul(qd, load4<T>(k + 12 * sizeof<T>())));
    s4 = f32x4.add(s4, f32x4.mul(qd, load4<T>(k + 16 * sizeof<T>())));
    s5 = f32x4.add(s5, f32x4.mul(qd, load4<T>(k + 20 * sizeof<T>())));
    s6 = f32x4.add(s6, f32x4.mul(qd, load4<T>(k + 24 * sizeof<T>())));
    s7 = f32x4.add(s7, f32x4.mul(qd, load4<T>(k + 28 * sizeof<T>())));
  }
  const factor = f32x4.splat(scale);
  v128.store(weights, f32x4.mul(s0, factor));
  v128.store(weights, f32x4.mul(s1, factor), 16);
  v128.store(weights, f32x4.mul(s2, factor), 32);
  v128.store(weights, f32x4.mul(s3, factor), 48);
  v128.store(weights, f32x4.mul(s4, factor), 64);
  v128.store(weights, f32x4.mul(s5, factor), 80);
  v128.store(weights, f32x4.mul(s6, factor), 96);
  v128.store(weights, f32x4.mul(s7, factor), 112);
  if (sizeof<T>() == 1) multiply(weights, kScales);
}

/** weights *= factors, 32 of each. */
function multiply(weights: usize, factors: usize): void {
  for (let i: usize = 0; i < 128; i += 16) {
    v128.store(weights + i, f32x4.mul(v128.load(weights + i), v128.load(factors + i)));
  }
}

/** Sets weights outside [first, last) to -Infinity; returns the largest inside. */
function mask_and_max(weights: usize, first: u32, last: u32): f32 {
  for (let i: u32 = 0; i < first; i++) store<f32>(weights + (i << 2), -Infinity);
  for (let i = last; i < <u32>PAGE_POSITIONS; i++) store<f32>(weights + (i << 2), -Infinity);
  let largest = v128.load(weights);
  for (let i: usize = 16; i < 128; i += 16) largest = f32x4.max(largest, v128.load(weights + i));
  return max4(largest);
}

/** weights = e^(weights - largest), 0 where masked; returns their sum. */
function exponentials(weights: usize, largest: f32): f32 {
  let sums = f32x4.splat(0);
  for (let i: usize = 0; i < 128; i += 16) {
    const e = exp4(f32x4.sub(v128.load(weights + i), f32x4.splat(largest)));
    v128.store(weights + i, e);
    sums = f32x4.add(sums, e);
  }
  return sum4(sums);
}

/** values = values * keep + sum over positions [first, last), ascending, of weight * V. */
function add_values<T>(
  values: usize,
  weights: usize,
  v: usize,
  vScales: usize,
  headDim: u32,
  keep: f32,
  first: u32,
  last: u32,
): void {
  if (sizeof<T>() == 1) {
    for (let i = first; i < last; i++) {
      const at = (<usize>i) << 2;
      store<f32>(weights + at, load<f32>(weights + at) * load<f32>(vScales + at));
    }
  }
  const stride = <usize>headDim * sizeof<T>();
  for (let d: usize = 0; d < headDim; d += 4) {
    let sum = f32x4.mul(v128.load(values + (d << 2)), f32x4.splat(keep));
    let from = v + first * stride + d * sizeof<T>();
    for (let i = first; i < last; i++, from += stride) {
      sum = f32x4.add(
        sum,
        f32x4.mul(v128.load32_splat(weights + ((<usize>i) << 2)), load4<T>(from)),
      );
    }
    v128.store(values + (d << 2), sum);
  }
}

/** out = out * keep + values * gain; the first segment only stores, since `out` holds no numbers yet. */
function merge(out: usize, values: usize, headDim: u32, keep: f32, gain: f32, first: bool): void {
  for (let d: usize = 0; d < headDim; d += 4, out += 16, values += 16) {
    const gained = f32x4.mul(v128.load(values), f32x4.splat(gain));
    const kept = first ? f32x4.splat(0) : f32x4.mul(v128.load(out), f32x4.splat(keep));
    v128.store(out, f32x4.add(kept, gained));
  }
}

function divide(out: usize, headDim: u32, sum: f32): void {
  const divisor = f32x4.splat(sum);
  for (let d: usize = 0; d < headDim; d += 4, out += 16) {
    v128.store(out, f32x4.div(v128.load(out), divisor));
  }
}
