// The fit of symmetric linear quantization:
//
//   w ~ scale * (q - zero),  zero = 2^(bits - 1)
//
//   weights f32 [rows, k]        finite
//   codes   u8 [rows, stride]    written: q; the level of zero behind k
//   scales  f32 [rows, groups]   written: as they are stored
//   scratch                      groups.ts, for whole groups
//
// The scale that the extreme suggests is rarely the best. So a few are tried, two in a pass, and the best is refitted by
// least squares: of x = w / scale and the nearest levels q that scale is scale * xq / qq, and the more of the squares
// it explains, scale^2 * xq^2 / qq, the better. Where it is stored rounded, it has to beat the plain one. The first of
// equals wins.

import {
  add_chunk,
  BEST_SCALE,
  CHUNK,
  clear_sums,
  EXTREME,
  group_length,
  group_start,
  groups_together,
  inverse_of,
  lay_out,
  load_within,
  NORM,
  put_sums,
  SCALE,
  SUMS,
  store_codes,
  store_sums,
  VECTORS,
} from './groups';
import { as_stored, holds_in_half } from './half';

// Levels that the weight of largest magnitude may take at 4 bits and more, at 3 and at 2, as if there were 4: -8 uses
// the whole range, more clips the extreme to give the others finer steps. Of all sets of a size those with the least
// error of normal, Laplace and Student's distributions in blocks of 32 and 64; with more the error falls by 0.1 %.
const LEVELS = memory.data<f32>([-9.1, -8.7, -8.4, -8.2, -8.0, -7.7, -7.3, -7.0]);
const LEVELS_3 = memory.data<f32>([-11.0, -10.2, -9.7, -9.2, -8.7, -8.3, -7.9, -7.4, -6.5, 10.0]);
const LEVELS_2 = memory.data<f32>([-14.9, -13.2, -11.9, -10.8, -9.8, -9.0, -8.2, -7.2, 9.1, 14.9]);

/** Of each of two scales. */
const XQ: usize = SUMS;
const QQ: usize = SUMS + 32;
const DD: usize = SUMS;

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
  const levels = bits > 3 ? LEVELS : bits == 3 ? LEVELS_3 : LEVELS_2;
  const count: u32 = bits > 3 ? 8 : 10;
  let refitted = f32x4.splat(0);
  let most = f32x4.splat(0);
  for (let i: u32 = 0; i < count; i += 2) {
    const at = levels + ((<usize>i) << 2);
    const a = scale_for(extreme, load<f32>(at), zero);
    const b = scale_for(extreme, load<f32>(at, 4), zero);
    sum_products(vectors, alone, zero, a, b, scratch);
    for (let one: usize = 0; one < 32; one += 16) {
      const tried = one == 0 ? a : b;
      const xq = f32x4.mul(tried, v128.load(scratch + one, XQ));
      const fitted = f32x4.div(xq, v128.load(scratch + one, QQ));
      const explained = f32x4.mul(xq, fitted);
      const better = f32x4.gt(explained, most);
      most = v128.bitselect(explained, most, better);
      refitted = v128.bitselect(fitted, refitted, better);
    }
  }
  store_rounded(refitted, scratch);
  const best = v128.load(scratch, SCALE);
  store_rounded(f32x4.div(extreme, f32x4.splat(-zero)), scratch);
  const plain = v128.load(scratch, SCALE);
  sum_errors(vectors, alone, zero, plain, best, scratch);
  const plainError = f32x4.mul(f32x4.mul(plain, plain), v128.load(scratch, DD));
  const bestError = f32x4.mul(f32x4.mul(best, best), v128.load(scratch + 16, DD));
  const better = f32x4.lt(bestError, plainError);
  v128.store(scratch, v128.bitselect(best, plain, better), BEST_SCALE);
}

/** The scale at which the extreme is at `level` of 4 bits. */
function scale_for(extreme: v128, level: f32, zero: f32): v128 {
  return f32x4.div(extreme, f32x4.splat(level * (level < 0 ? zero / 8 : (zero - 1) / 7)));
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

/** Sums of x q and q^2 for both scales. */
function sum_products(
  vectors: u32,
  alone: bool,
  zero: f32,
  a: v128,
  b: v128,
  scratch: usize,
): void {
  const aInverse = inverse_of(a);
  const bInverse = inverse_of(b);
  const low = f32x4.splat(-zero);
  const high = f32x4.splat(zero - 1);
  const sums = scratch + XQ;
  if (alone) clear_sums(sums);
  let at = scratch + VECTORS;
  for (let begin: u32 = 0; begin < vectors; begin += CHUNK) {
    let axq = f32x4.splat(0);
    let bxq = f32x4.splat(0);
    let aqq = f32x4.splat(0);
    let bqq = f32x4.splat(0);
    const end = at + ((<usize>min(CHUNK, vectors - begin)) << 4);
    for (; at < end; at += 16) {
      const v = v128.load(at);
      const ax = f32x4.mul(v, aInverse);
      const bx = f32x4.mul(v, bInverse);
      const aq = f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(ax)));
      const bq = f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(bx)));
      axq = f32x4.add(axq, f32x4.mul(ax, aq));
      bxq = f32x4.add(bxq, f32x4.mul(bx, bq));
      aqq = f32x4.add(aqq, f32x4.mul(aq, aq));
      bqq = f32x4.add(bqq, f32x4.mul(bq, bq));
    }
    if (!alone) return put_sums(sums, axq, bxq, aqq, bqq);
    add_chunk(sums, axq, bxq, aqq, bqq);
  }
  store_sums(sums);
}

/** Sums of (x - q)^2 for both scales. */
function sum_errors(vectors: u32, alone: bool, zero: f32, a: v128, b: v128, scratch: usize): void {
  const aInverse = inverse_of(a);
  const bInverse = inverse_of(b);
  const low = f32x4.splat(-zero);
  const high = f32x4.splat(zero - 1);
  const sums = scratch + DD;
  if (alone) clear_sums(sums);
  let at = scratch + VECTORS;
  for (let begin: u32 = 0; begin < vectors; begin += CHUNK) {
    let aErrors = f32x4.splat(0);
    let bErrors = f32x4.splat(0);
    const end = at + ((<usize>min(CHUNK, vectors - begin)) << 4);
    for (; at < end; at += 16) {
      const v = v128.load(at);
      const ax = f32x4.mul(v, aInverse);
      const bx = f32x4.mul(v, bInverse);
      const ad = f32x4.sub(ax, f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(ax))));
      const bd = f32x4.sub(bx, f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(bx))));
      aErrors = f32x4.add(aErrors, f32x4.mul(ad, ad));
      bErrors = f32x4.add(bErrors, f32x4.mul(bd, bd));
    }
    const none = f32x4.splat(0);
    if (!alone) return put_sums(sums, aErrors, bErrors, none, none);
    add_chunk(sums, aErrors, bErrors, none, none);
  }
  store_sums(sums);
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
