// The fit of asymmetric linear quantization:
//
//   w ~ scale * q + bias,  0 <= q < 2^bits
//
//   weights f32 [rows, k]        finite
//   codes   u8 [rows, stride]    written: q; without meaning behind k
//   scales  f32 [rows, groups]   written: as they are stored
//   biases  f32 [rows, groups]   written: as they are stored
//   scratch                      groups.ts, for whole groups
//
// Ranges of the levels are tried, cut at one end or both, each refitted by least squares; the best is rounded to
// what is stored, and refitted until its squared error grows. The first of equals wins.

import { DD, first_indices, index_step, max_level, measure } from './affine_lines';
import {
  BEST_BIAS,
  BEST_ERROR,
  BEST_SCALE,
  BIAS,
  ERROR,
  group_length,
  group_start,
  groups_together,
  inverse_of,
  LENGTH,
  lay_out,
  load_within,
  NORM,
  SCALE,
  store_codes,
  VECTORS,
} from './groups';
import { as_stored, holds_in_half, round_to_half } from './half';

// Ranges that the levels are tried on, by width: parts of the group's range, and how much of the rest lies below. The
// best sets of ten in greedy order, for normal, Laplace and Student's distributions in blocks of 32 and 64.
const RANGES = memory.data<f32>([
  1.0, 0.0, 1.04, 0.0, 1.02, 0.0, 0.98, 0.0, 0.98, 0.75, 1.06, 0.5, 0.98, 0.25, 0.98, 1.0, 1.02,
  1.0, 1.04, 1.0,
]);
const RANGES_4 = memory.data<f32>([
  0.98, 0.5, 0.96, 0.0, 0.96, 1.0, 0.98, 0.0, 0.98, 1.0, 1.06, 0.0, 1.06, 1.0, 0.94, 0.5, 1.02,
  0.25, 1.02, 1.0,
]);
const RANGES_3 = memory.data<f32>([
  0.9, 0.5, 0.92, 0.0, 0.92, 1.0, 0.92, 0.25, 0.92, 0.75, 0.86, 0.75, 0.98, 0.25, 0.86, 0.25, 0.84,
  0.5, 0.9, 1.0,
]);
/** For 1 bit too. */
const RANGES_2 = memory.data<f32>([
  0.7, 0.5, 0.75, 0.75, 0.75, 0.25, 0.82, 0.5, 0.65, 0.25, 0.65, 0.75, 0.6, 0.5, 0.82, 0.75, 0.82,
  0.25, 0.8, 1.0,
]);
const RANGE_COUNT: u32 = 10;
const REFITS: u32 = 3;

/** Returns whether float16 holds all scales and biases. */
export function fit_affine(
  weights: usize,
  rows: u32,
  k: u32,
  group: u32,
  bits: u32,
  codes: usize,
  stride: u32,
  scales: usize,
  biases: usize,
  scratch: usize,
): bool {
  memory.fill(codes, 0, <usize>rows * stride);
  const perRow = (k + group - 1) / group;
  const total = rows * perRow;
  const together = groups_together(group);
  let inHalf = true;
  for (let first: u32 = 0; first < total; first += together) {
    const count = min(together, total - first);
    const vectors = lay_out(weights, k, group, first, count, scratch);
    choose_lines(vectors, together == 1, bits, scratch);
    for (let lane: u32 = 0; lane < count; lane++) {
      const g = first + lane;
      const at = scratch + ((<usize>lane) << 2);
      const norm = <f64>load<f32>(at, NORM);
      const scale = <f64>load<f32>(at, BEST_SCALE) / norm;
      const bias = <f64>load<f32>(at, BEST_BIAS) / norm;
      if (!line_in_half(scale, bias)) inHalf = false;
      store<f32>(scales + ((<usize>g) << 2), <f32>scale);
      store<f32>(biases + ((<usize>g) << 2), <f32>bias);
      const to = codes + <usize>(g / perRow) * stride + <usize>(g % perRow) * group;
      const w = group_start(weights, k, group, g);
      quantize(w, group_length(k, group, g), at, max_level(bits), to);
    }
  }
  return inHalf;
}

/** Leaves the best lines at BEST_SCALE and BEST_BIAS: as they are stored, times norm. */
function choose_lines(vectors: u32, alone: bool, bits: u32, scratch: usize): void {
  const maxQ = f32x4.splat(max_level(bits));
  const zero = f32x4.splat(0);
  range_of(vectors, alone, scratch);
  const low = v128.load(scratch, BIAS);
  const range = f32x4.sub(v128.load(scratch, SCALE), low);
  // That of a group which holds zero in any case: of one that does not, another range.
  const from = f32x4.pmin(low, zero);
  const withZero = f32x4.sub(f32x4.pmax(v128.load(scratch, SCALE), zero), from);
  v128.store(scratch, f32x4.splat(Infinity), BEST_ERROR);
  try_stored(vectors, alone, bits, f32x4.div(range, maxQ), low, scratch);
  try_stored(vectors, alone, bits, f32x4.div(withZero, maxQ), from, scratch);
  if (bits == 8) return;
  let scale = zero;
  let bias = zero;
  let least = f32x4.splat(Infinity);
  const ranges = bits > 4 ? RANGES : bits == 4 ? RANGES_4 : bits == 3 ? RANGES_3 : RANGES_2;
  for (let i: u32 = 0; i < RANGE_COUNT; i++) {
    const part = load<f32>(ranges + ((<usize>i) << 3));
    const below = (<f32>1.0 - part) * load<f32>(ranges + ((<usize>i) << 3), 4);
    const from = f32x4.add(low, f32x4.mul(range, f32x4.splat(below)));
    const step = f32x4.div(f32x4.mul(range, f32x4.splat(part)), maxQ);
    measure(vectors, alone, bits, step, from, scratch);
    const better = f32x4.lt(v128.load(scratch, ERROR), least);
    least = v128.bitselect(v128.load(scratch, ERROR), least, better);
    scale = v128.bitselect(v128.load(scratch, SCALE), scale, better);
    bias = v128.bitselect(v128.load(scratch, BIAS), bias, better);
  }
  for (let i: u32 = 0; i < REFITS; i++) {
    if (!try_stored(vectors, alone, bits, scale, bias, scratch)) return;
    scale = v128.load(scratch, SCALE);
    bias = v128.load(scratch, BIAS);
  }
}

/** The least weights to BIAS, the largest to SCALE. */
function range_of(vectors: u32, alone: bool, scratch: usize): void {
  let low = f32x4.splat(Infinity);
  let high = f32x4.splat(-Infinity);
  let index = first_indices(alone);
  const step = index_step(alone);
  const lengths = v128.load(scratch, LENGTH);
  for (let i: u32 = 0; i < vectors; i++) {
    const lanes = i32x4.lt_s(index, lengths);
    const v = v128.load(scratch + VECTORS + ((<usize>i) << 4));
    low = v128.bitselect(f32x4.pmin(low, v), low, lanes);
    high = v128.bitselect(f32x4.pmax(high, v), high, lanes);
    index = i32x4.add(index, step);
  }
  if (alone) {
    low = f32x4.pmin(low, i32x4.shuffle(low, low, 2, 3, 0, 1));
    low = f32x4.pmin(low, i32x4.shuffle(low, low, 1, 0, 3, 2));
    high = f32x4.pmax(high, i32x4.shuffle(high, high, 2, 3, 0, 1));
    high = f32x4.pmax(high, i32x4.shuffle(high, high, 1, 0, 3, 2));
  }
  v128.store(scratch, low, BIAS);
  v128.store(scratch, high, SCALE);
}

/** Measures lines as they are stored. Returns whether one is better than all before. */
function try_stored(
  vectors: u32,
  alone: bool,
  bits: u32,
  scales: v128,
  biases: v128,
  scratch: usize,
): bool {
  store_rounded(scales, biases, scratch);
  const scale = v128.load(scratch, SCALE);
  const bias = v128.load(scratch, BIAS);
  measure(vectors, alone, bits, scale, bias, scratch);
  const error = f32x4.mul(f32x4.mul(scale, scale), v128.load(scratch, DD));
  const better = f32x4.lt(error, v128.load(scratch, BEST_ERROR));
  v128.store(scratch, v128.bitselect(error, v128.load(scratch, BEST_ERROR), better), BEST_ERROR);
  v128.store(scratch, v128.bitselect(scale, v128.load(scratch, BEST_SCALE), better), BEST_SCALE);
  v128.store(scratch, v128.bitselect(bias, v128.load(scratch, BEST_BIAS), better), BEST_BIAS);
  return v128.any_true(better);
}

/** Lines to SCALE and BIAS, rounded to what is stored. */
function store_rounded(scales: v128, biases: v128, scratch: usize): void {
  v128.store(scratch, scales, SCALE);
  v128.store(scratch, biases, BIAS);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const norm = <f64>load<f32>(scratch + lane, NORM);
    const scale = <f64>load<f32>(scratch + lane, SCALE) / norm;
    const bias = <f64>load<f32>(scratch + lane, BIAS) / norm;
    const inHalf = line_in_half(scale, bias);
    store<f32>(scratch + lane, <f32>(as_stored(scale, inHalf) * norm), SCALE);
    store<f32>(scratch + lane, <f32>(as_stored(bias, inHalf) * norm), BIAS);
  }
}

/** A bias may lose what is little beside one step. */
function line_in_half(scale: f64, bias: f64): bool {
  if (!holds_in_half(scale)) return false;
  return holds_in_half(bias) || abs(round_to_half(bias) - bias) <= abs(scale) / 64;
}

/** @param at the lane of NORM, BEST_SCALE and BEST_BIAS */
function quantize(w: usize, length: u32, at: usize, maxQ: f32, codes: usize): void {
  const norms = v128.load32_splat(at, NORM);
  const inverse = inverse_of(v128.load32_splat(at, BEST_SCALE));
  const bias = v128.load32_splat(at, BEST_BIAS);
  for (let i: u32 = 0; i < length; i += 4) {
    const v = f32x4.mul(load_within(w, i, length), norms);
    const x = f32x4.mul(f32x4.sub(v, bias), inverse);
    const q = f32x4.pmin(f32x4.splat(maxQ), f32x4.pmax(f32x4.splat(0), f32x4.nearest(x)));
    store_codes(codes + i, q);
  }
}
