// How well a line w ~ scale * q + bias fits groups of weights (groups.ts), and which line fits the same levels best.
//
// With x = (w - bias) / scale, q the nearest level and d = x - q, the least-squares line adds to x the one that
// fits d as a function of q; sums of d are small terms (linear_symmetric.ts).

import {
  add_chunk,
  BIAS,
  CHUNK,
  clear_sums,
  ERROR,
  inverse_of,
  LENGTH,
  put_sums,
  SCALE,
  SUMS,
  store_sums,
  VECTORS,
} from './groups';

const D: usize = SUMS;
/** Sum of d^2. */
export const DD: usize = SUMS + 16;
const DQ: usize = SUMS + 32;
const Q: usize = SUMS + 48;
/** Behind the four above while they are float64. */
const QQ: usize = SUMS + 128;

/** Fills the sums; to SCALE and BIAS the least-squares lines, to ERROR the squared errors with them. */
export function measure(
  vectors: u32,
  alone: bool,
  bits: u32,
  scale: v128,
  bias: v128,
  scratch: usize,
): void {
  sum_up(vectors, alone, bits, scale, bias, scratch);
  const n = f32x4.convert_i32x4_s(i32x4.max_s(v128.load(scratch, LENGTH), i32x4.splat(1)));
  const d = v128.load(scratch, D);
  const q = v128.load(scratch, Q);
  const meanD = f32x4.div(d, n);
  const meanQ = f32x4.div(q, n);
  const variance = f32x4.sub(v128.load(scratch, QQ), f32x4.mul(q, meanQ));
  const covariance = f32x4.sub(v128.load(scratch, DQ), f32x4.mul(d, meanQ));
  const varies = f32x4.gt(variance, f32x4.splat(0));
  const slope = v128.and(f32x4.div(covariance, variance), varies);
  const rest = f32x4.sub(v128.load(scratch, DD), f32x4.mul(d, meanD));
  const error = f32x4.sub(rest, f32x4.mul(slope, covariance));
  v128.store(scratch, f32x4.mul(f32x4.mul(scale, scale), error), ERROR);
  v128.store(scratch, f32x4.add(scale, f32x4.mul(scale, slope)), SCALE);
  const shift = f32x4.sub(meanD, f32x4.mul(slope, meanQ));
  v128.store(scratch, f32x4.add(bias, f32x4.mul(scale, shift)), BIAS);
}

/** Sums of d, d^2, d q, q and q^2. */
function sum_up(
  vectors: u32,
  alone: bool,
  bits: u32,
  scale: v128,
  bias: v128,
  scratch: usize,
): void {
  const inverse = inverse_of(scale);
  const low = f32x4.splat(0);
  const high = f32x4.splat(max_level(bits));
  const lengths = v128.load(scratch, LENGTH);
  const step = index_step(alone);
  let index = first_indices(alone);
  const sums = scratch + SUMS;
  if (alone) clear_sums(sums);
  if (alone) clear_sums(scratch + QQ);
  let at = scratch + VECTORS;
  for (let begin: u32 = 0; begin < vectors; begin += CHUNK) {
    let d = f32x4.splat(0);
    let dd = f32x4.splat(0);
    let dq = f32x4.splat(0);
    let q = f32x4.splat(0);
    let qq = f32x4.splat(0);
    const end = at + ((<usize>min(CHUNK, vectors - begin)) << 4);
    for (; at < end; at += 16) {
      const lanes = i32x4.lt_s(index, lengths);
      index = i32x4.add(index, step);
      const x = v128.and(f32x4.mul(f32x4.sub(v128.load(at), bias), inverse), lanes);
      const level = f32x4.pmin(high, f32x4.pmax(low, f32x4.nearest(x)));
      const miss = f32x4.sub(x, level);
      d = f32x4.add(d, miss);
      dd = f32x4.add(dd, f32x4.mul(miss, miss));
      dq = f32x4.add(dq, f32x4.mul(miss, level));
      q = f32x4.add(q, level);
      qq = f32x4.add(qq, f32x4.mul(level, level));
    }
    const none = f32x4.splat(0);
    if (!alone) {
      put_sums(sums, d, dd, dq, q);
      v128.store(scratch, qq, QQ);
      return;
    }
    add_chunk(sums, d, dd, dq, q);
    add_chunk(scratch + QQ, qq, none, none, none);
  }
  store_sums(sums);
  store_sums(scratch + QQ);
}

/** The highest level. */
export function max_level(bits: u32): f32 {
  return <f32>(((<u32>1) << bits) - 1);
}

/** Indices in their group of the weights of the first vector, and what to add for the next. */
export function first_indices(alone: bool): v128 {
  return alone ? i32x4(0, 1, 2, 3) : i32x4.splat(0);
}

export function index_step(alone: bool): v128 {
  return i32x4.splat(alone ? 4 : 1);
}
