// out = softmax(q K^T * scale) V over the row's KV pages, for the heads that share one K and V at a time.
//
//   out, q f32 [rows, heads, headDim]
//   rows   row table of the step; a row sees positions (position - window, position], window 0: all
//   pages  layout in kv_page.ts, T its type; headDim % 4 == 0, heads % kvHeads == 0
//   scratch f32 [32] weights of a tile; [headDim, 32] K and [32, headDim] V of a tile, widened;
//           then for each of the heads: max and sum of the segment, max and sum of all, values [headDim]
//
// Computes (row, kvHead) pairs [begin, end), numbered row * kvHeads + kvHead.
//
// Online softmax (Milakov and Gimelshein 2018) over tiles of 32 positions, which are pages. Positions are
// cut in segments of 256; each gives (max, sum, values), merged in ascending order. So the order of all
// sums depends on positions only, neither on how rows were batched nor on which thread took a segment.
// Masked positions are skipped: pages may hold garbage there.
// Where several heads share K and V, a tile is converted to f32 once for all of them.

import {
  PAGE_POSITIONS,
  ROW_BYTES,
  ROW_PAGES,
  ROW_POSITION,
  SEGMENT_POSITIONS,
} from '../op_layout';
import { exp1, exp4, load4, max4, sum4 } from '../simd';
import { head_bytes, page_layer } from './kv_page';

// The state of a head: four numbers, then its values in the segment.
const SEGMENT_MAX = 0;
const SEGMENT_SUM = 4;
const MAX = 8;
const SUM = 12;
const VALUES = 16;

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
  const kTile = scratch + (PAGE_POSITIONS << 2);
  const vTile = kTile + head_bytes<f32>(headDim);
  const states = vTile + head_bytes<f32>(headDim);
  const stateBytes: usize = VALUES + (headDim << 2);
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
        if (sizeof<T>() == 4 || gqaFactor == 1) {
          for (let h: usize = 0; h < gqaFactor; h++) {
            const qh = q + at + ((h * headDim) << 2);
            scores<T>(scratch, qh, k, headDim, scale);
            if (sizeof<T>() == 1) multiply(scratch, kScales);
            const keep = weigh(scratch, states + h * stateBytes, p - tile, last);
            if (sizeof<T>() == 1) multiply(scratch, vScales);
            const values = states + h * stateBytes + VALUES;
            add_values<T>(values, scratch, k + vDistance, headDim, keep, p - tile, last);
          }
        } else {
          widen<T>(kTile, k, headDim);
          widen<T>(vTile, k + vDistance, headDim);
          for (let h: usize = 0; h < gqaFactor; h++) {
            const qh = q + at + ((h * headDim) << 2);
            scores<f32>(scratch, qh, kTile, headDim, scale);
            if (sizeof<T>() == 1) multiply(scratch, kScales);
            const keep = weigh(scratch, states + h * stateBytes, p - tile, last);
            if (sizeof<T>() == 1) multiply(scratch, vScales);
            const values = states + h * stateBytes + VALUES;
            add_values<f32>(values, scratch, vTile, headDim, keep, p - tile, last);
          }
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

/** Starts a segment. */
function clear(state: usize, headDim: u32): void {
  store<f32>(state, -Infinity, SEGMENT_MAX);
  store<f32>(state, 0, SEGMENT_SUM);
  memory.fill(state + VALUES, 0, (<usize>headDim) << 2);
}

/** One head of a page as f32. */
function widen<T>(to: usize, from: usize, headDim: u32): void {
  for (const last = to + head_bytes<f32>(headDim); to < last; to += 16, from += 4 * sizeof<T>()) {
    v128.store(to, load4<T>(from));
  }
}

/**
 * Scores [32] become softmax weights relative to the segment's largest score so far; those outside
 * [first, last) become 0. Returns the factor for what the segment has summed before.
 */
function weigh(weights: usize, state: usize, first: u32, last: u32): f32 {
  const before = load<f32>(state, SEGMENT_MAX);
  const newMax = max2(before, mask_and_max(weights, first, last));
  const keep = exp1(before - newMax);
  const sum = load<f32>(state, SEGMENT_SUM) * keep + exponentials(weights, newMax);
  store<f32>(state, newMax, SEGMENT_MAX);
  store<f32>(state, sum, SEGMENT_SUM);
  return keep;
}

function max2(a: f32, b: f32): f32 {
  return a > b ? a : b;
}

/** weights[0..31] = q . K * scale for the 32 positions of a page. */
function scores<T>(weights: usize, q: usize, k: usize, headDim: u32, scale: f32): void {
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

/**
 * values = values * keep + sum over positions [first, last), ascending, of weight * V. 16 features at a time:
 * four sums hide the latency of the additions.
 */
function add_values<T>(
  values: usize,
  weights: usize,
  v: usize,
  headDim: u32,
  keep: f32,
  first: u32,
  last: u32,
): void {
  const stride = <usize>headDim * sizeof<T>();
  const kept = f32x4.splat(keep);
  v += first * stride;
  const weightsEnd = weights + (last << 2);
  weights += first << 2;
  let d: u32 = 0;
  for (; d + 16 <= headDim; d += 16, values += 64, v += 16 * sizeof<T>()) {
    let s0 = f32x4.mul(v128.load(values), kept);
    let s1 = f32x4.mul(v128.load(values, 16), kept);
    let s2 = f32x4.mul(v128.load(values, 32), kept);
    let s3 = f32x4.mul(v128.load(values, 48), kept);
    for (let w = weights, from = v; w < weightsEnd; w += 4, from += stride) {
      const weight = v128.load32_splat(w);
      s0 = f32x4.add(s0, f32x4.mul(weight, load4<T>(from)));
      s1 = f32x4.add(s1, f32x4.mul(weight, load4<T>(from + 4 * sizeof<T>())));
      s2 = f32x4.add(s2, f32x4.mul(weight, load4<T>(from + 8 * sizeof<T>())));
      s3 = f32x4.add(s3, f32x4.mul(weight, load4<T>(from + 12 * sizeof<T>())));
    }
    v128.store(values, s0);
    v128.store(values, s1, 16);
    v128.store(values, s2, 32);
    v128.store(values, s3, 48);
  }
  for (; d < headDim; d += 4, values += 16, v += 4 * sizeof<T>()) {
    let sum = f32x4.mul(v128.load(values), kept);
    for (let w = weights, from = v; w < weightsEnd; w += 4, from += stride) {
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(w), load4<T>(from)));
    }
    v128.store(values, sum);
  }
}

/** Merges the segment into out, max and sum; the first segment only stores, as out holds no numbers yet. */
function merge(out: usize, state: usize, headDim: u32, first: bool): void {
  const segmentMax = load<f32>(state, SEGMENT_MAX);
  const before = first ? <f32>-Infinity : load<f32>(state, MAX);
  const newMax = max2(before, segmentMax);
  const keep = exp1(before - newMax);
  const gain = exp1(segmentMax - newMax);
  const sum: f32 = first ? 0 : load<f32>(state, SUM) * keep;
  store<f32>(state, sum + load<f32>(state, SEGMENT_SUM) * gain, SUM);
  store<f32>(state, newMax, MAX);
  let values = state + VALUES;
  for (let d: u32 = 0; d < headDim; d += 4, out += 16, values += 16) {
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
