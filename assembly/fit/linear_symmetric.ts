// The fit of symmetric linear quantization:
//
//   w ~ scale * (q - zero),  zero = 2^(bits - 1)
//
//   weights f32 [rows, k]        finite
//   codes   u8 [rows, stride]    written: q; the level of zero behind k
//   scales  f32 [rows, groups]   written: as they are stored
//   scratch                      groups.ts, for whole groups
//
// The scale that the extreme suggests is rarely the best. So a few are tried, each refitted by least squares; the
// best is rounded to what is stored, and refitted until its squared error grows. The first of equals wins.
//
// With x = w / scale, q the nearest level and d = x - q, the least-squares scale is scale * (1 + dq / qq), and its
// error scale^2 * (dd - dq^2 / qq): sums of small terms, where ww - wq^2 / qq would be a difference of large ones.

import {
  BEST_ERROR,
  BEST_SCALE,
  CHUNK,
  ERROR,
  EXTREME,
  group_length,
  group_start,
  groups_together,
  inverse_of,
  lay_out,
  load_within,
  NORM,
  promote_high,
  SCALE,
  SUMS,
  store_codes,
  store_sums,
  VECTORS,
} from './groups';
import { as_stored, holds_in_half } from './half';

// Levels that the weight of largest magnitude may take at 4 bits, sign included: -8 uses the whole range, more
// than 8 clips the extreme to give the others finer steps. Other widths take the same parts of their ranges.
const LEVELS = memory.data<f32>([
  -8.0, -7.7, -7.4, -7.1, -8.3, -8.6, -9.0, -9.5, 7.0, 7.3, 6.7, 7.6, 8.0, -10.5, -12.0, -14.0,
  -16.5, 9.0, 10.5, 12.0, 14.0,
]);
/** Tried above 3 bits; few levels are worth clipping more. */
const USUAL_LEVELS: u32 = 13;
const ALL_LEVELS: u32 = 21;
const REFITS: u32 = 3;

const DD: usize = SUMS;
const DQ: usize = SUMS + 16;
const QQ: usize = SUMS + 32;

/** Returns whether float16 holds all scales. */
export function fit_symmetric(
  weights: usize,
  rows: u32,
  k: u32,
  group: u32,
  bits: u32,
  codes: usize,
  stride: u32,
  scales: usize,
  scratch: usize,
): bool {
  const zero: f32 = <f32>((<u32>1) << (bits - 1));
  memory.fill(codes, <u8>zero, <usize>rows * stride);
  const perRow = (k + group - 1) / group;
  const total = rows * perRow;
  const together = groups_together(group);
  let inHalf = true;
  for (let first: u32 = 0; first < total; first += together) {
    const count = min(together, total - first);
    const vectors = lay_out(weights, k, group, first, count, scratch);
    choose_scales(vectors, together == 1, bits, scratch);
    for (let lane: u32 = 0; lane < count; lane++) {
      const g = first + lane;
      const norm = load<f32>(scratch + ((<usize>lane) << 2), NORM);
      const scale = load<f32>(scratch + ((<usize>lane) << 2), BEST_SCALE);
      const exact = <f64>scale / <f64>norm;
      if (!holds_in_half(exact)) inHalf = false;
      store<f32>(scales + ((<usize>g) << 2), <f32>exact);
      const to = codes + <usize>(g / perRow) * stride + <usize>(g % perRow) * group;
      const w = group_start(weights, k, group, g);
      quantize(w, group_length(k, group, g), norm, scale, zero, to);
    }
  }
  return inHalf;
}

/** Leaves the best scales at BEST_SCALE: as they are stored, times norm. */
function choose_scales(vectors: u32, alone: bool, bits: u32, scratch: usize): void {
  const zero: f32 = <f32>((<u32>1) << (bits - 1));
  const extreme = v128.load(scratch, EXTREME);
  if (bits == 8) {
    store_rounded(f32x4.div(f32x4.abs(extreme), f32x4.splat(zero - 1)), scratch);
    v128.store(scratch, v128.load(scratch, SCALE), BEST_SCALE);
    return;
  }
  let refitted = f32x4.splat(0);
  let least = f32x4.splat(Infinity);
  const levels = bits > 3 ? USUAL_LEVELS : ALL_LEVELS;
  for (let i: u32 = 0; i < levels; i++) {
    const level = load<f32>(LEVELS + ((<usize>i) << 2));
    const part = level * (level < 0 ? zero / 8 : (zero - 1) / 7);
    const scale = f32x4.div(extreme, f32x4.splat(part));
    measure(vectors, alone, zero, scale, scratch);
    const better = f32x4.lt(v128.load(scratch, ERROR), least);
    least = v128.bitselect(v128.load(scratch, ERROR), least, better);
    refitted = v128.bitselect(v128.load(scratch, SCALE), refitted, better);
  }
  v128.store(scratch, f32x4.splat(Infinity), BEST_ERROR);
  try_stored(vectors, alone, zero, f32x4.div(extreme, f32x4.splat(-zero)), scratch);
  for (let i: u32 = 0; i < REFITS; i++) {
    if (!try_stored(vectors, alone, zero, refitted, scratch)) return;
    refitted = v128.load(scratch, SCALE);
  }
}

/** Measures scales as they are stored. Returns whether one is better than all before. */
function try_stored(vectors: u32, alone: bool, zero: f32, scales: v128, scratch: usize): bool {
  store_rounded(scales, scratch);
  const scale = v128.load(scratch, SCALE);
  measure(vectors, alone, zero, scale, scratch);
  const error = f32x4.mul(f32x4.mul(scale, scale), v128.load(scratch, DD));
  const better = f32x4.lt(error, v128.load(scratch, BEST_ERROR));
  v128.store(scratch, v128.bitselect(error, v128.load(scratch, BEST_ERROR), better), BEST_ERROR);
  v128.store(scratch, v128.bitselect(scale, v128.load(scratch, BEST_SCALE), better), BEST_SCALE);
  return v128.any_true(better);
}

/** Scales to SCALE, rounded to what is stored. */
function store_rounded(scales: v128, scratch: usize): void {
  v128.store(scratch, scales, SCALE);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const norm = <f64>load<f32>(scratch + lane, NORM);
    const exact = <f64>load<f32>(scratch + lane, SCALE) / norm;
    store<f32>(scratch + lane, <f32>(as_stored(exact, holds_in_half(exact)) * norm), SCALE);
  }
}

/** Sums of d^2, d q and q^2; to SCALE the least-squares scales, to ERROR the squared errors with them. */
function measure(vectors: u32, alone: bool, zero: f32, scale: v128, scratch: usize): void {
  sum_up(vectors, alone, zero, scale, scratch);
  const dq = v128.load(scratch, DQ);
  const qq = f32x4.pmax(v128.load(scratch, QQ), f32x4.splat(1));
  const slope = f32x4.div(dq, qq);
  const rest = f32x4.sub(v128.load(scratch, DD), f32x4.mul(slope, dq));
  v128.store(scratch, f32x4.mul(f32x4.mul(scale, scale), rest), ERROR);
  v128.store(scratch, f32x4.add(scale, f32x4.mul(scale, slope)), SCALE);
}

function sum_up(vectors: u32, alone: bool, zero: f32, scale: v128, scratch: usize): void {
  const inverse = inverse_of(scale);
  const low = f32x4.splat(-zero);
  const high = f32x4.splat(zero - 1);
  let ddLow = f64x2.splat(0);
  let ddHigh = f64x2.splat(0);
  let dqLow = f64x2.splat(0);
  let dqHigh = f64x2.splat(0);
  let qqLow = f64x2.splat(0);
  let qqHigh = f64x2.splat(0);
  let at = scratch + VECTORS;
  for (let begin: u32 = 0; begin < vectors; begin += CHUNK) {
    let dd = f32x4.splat(0);
    let dq = f32x4.splat(0);
    let qq = f32x4.splat(0);
    const end = at + ((<usize>min(CHUNK, vectors - begin)) << 4);
    for (; at < end; at += 16) {
      const x = f32x4.mul(v128.load(at), inverse);
      const q = f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(x)));
      const d = f32x4.sub(x, q);
      dd = f32x4.add(dd, f32x4.mul(d, d));
      dq = f32x4.add(dq, f32x4.mul(d, q));
      qq = f32x4.add(qq, f32x4.mul(q, q));
    }
    ddLow = f64x2.add(ddLow, f64x2.promote_low_f32x4(dd));
    ddHigh = f64x2.add(ddHigh, promote_high(dd));
    dqLow = f64x2.add(dqLow, f64x2.promote_low_f32x4(dq));
    dqHigh = f64x2.add(dqHigh, promote_high(dq));
    qqLow = f64x2.add(qqLow, f64x2.promote_low_f32x4(qq));
    qqHigh = f64x2.add(qqHigh, promote_high(qq));
  }
  store_sums(ddLow, ddHigh, alone, scratch + DD);
  store_sums(dqLow, dqHigh, alone, scratch + DQ);
  store_sums(qqLow, qqHigh, alone, scratch + QQ);
}

function quantize(w: usize, length: u32, norm: f32, scale: f32, zero: f32, codes: usize): void {
  const norms = f32x4.splat(norm);
  const inverse = inverse_of(f32x4.splat(scale));
  const low = f32x4.splat(-zero);
  const high = f32x4.splat(zero - 1);
  for (let i: u32 = 0; i < length; i += 4) {
    const x = f32x4.mul(f32x4.mul(load_within(w, i, length), norms), inverse);
    const q = f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(x)));
    store_codes(codes + i, f32x4.add(q, f32x4.splat(zero)));
  }
}
