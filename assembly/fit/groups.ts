// Four groups of weights at once, a lane each, as the passes of a linear fit read them; a long group alone, its
// lanes taking turns along k.
//
//   scratch    fields below, then f32x4 [vectors]: the weights times their group's norm, 0 behind its end
//
// A norm is the power of two that brings the largest magnitude near 1: squares neither overflow nor vanish.

/** f32x4, as all fields are but LENGTH. */
export const NORM: usize = 0;
/** The value of largest magnitude, the first of equals, times norm. */
export const EXTREME: usize = 16;
/** i32x4: weights; where a group is alone, of all lanes together. */
export const LENGTH: usize = 32;
export const ERROR: usize = 48;
export const SCALE: usize = 64;
export const BIAS: usize = 80;
export const BEST_ERROR: usize = 96;
export const BEST_SCALE: usize = 112;
export const BEST_BIAS: usize = 128;
/** Sums of a pass. */
export const SUMS: usize = 144;
export const VECTORS: usize = 512;

/** Groups above are alone. */
const LONG: u32 = 256;
/**
 * Vectors whose products are summed in float32, squares of levels exactly; sums of such chunks are float64. Groups that
 * are not alone have one.
 */
export const CHUNK: u32 = 256;

/** Lanes that a vector of 4, 1, 2 or 3 weights has, by the count modulo 4. */
const LANES = memory.data<u32>(
  [
    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff, 0, 0, 0, 0xffffffff, 0xffffffff, 0,
    0, 0xffffffff, 0xffffffff, 0xffffffff, 0,
  ],
  16,
);

/** Groups that are fitted together. */
export function groups_together(group: u32): u32 {
  return group > LONG ? 1 : 4;
}

/**
 * Lays out `count` groups of at most `group` weights from number `first` on, counted row by row, with their norms,
 * extremes and lengths. Lanes without a group hold zeros. Returns the vectors.
 */
export function lay_out(
  weights: usize,
  k: u32,
  group: u32,
  first: u32,
  count: u32,
  scratch: usize,
): u32 {
  const vectors = scratch + VECTORS;
  let length: u32 = 0;
  if (group > LONG) {
    length = group_length(k, group, first);
    const w = group_start(weights, k, group, first);
    for (let i: u32 = 0; i < length; i += 4) {
      v128.store(vectors + ((<usize>i) << 2), load_within(w, i, length));
    }
    v128.store(scratch, i32x4.splat(length), LENGTH);
  } else {
    v128.store(scratch, i32x4.splat(0), LENGTH);
    for (let lane: u32 = 0; lane < count; lane++) {
      const own = group_length(k, group, first + lane);
      store<u32>(scratch + ((<usize>lane) << 2), own, LENGTH);
      length = max(length, own);
    }
    transpose(weights, k, group, first, length, scratch);
  }
  const total = group > LONG ? (length + 3) >> 2 : length;
  normalize(vectors, total, group > LONG, scratch);
  return total;
}

/** Address of group `g`. */
export function group_start(weights: usize, k: u32, group: u32, g: u32): usize {
  const perRow = (k + group - 1) / group;
  return weights + ((<usize>(g / perRow) * k + <usize>(g % perRow) * group) << 2);
}

/** Weights of group `g`; a row's last may be shorter. */
export function group_length(k: u32, group: u32, g: u32): u32 {
  const perRow = (k + group - 1) / group;
  return min(group, k - (g % perRow) * group);
}

/** Weights [i, i + 4) of a group, 0 from `length` on. */
export function load_within(w: usize, i: u32, length: u32): v128 {
  if (i >= length) return i32x4.splat(0);
  return v128.and(v128.load(w + ((<usize>i) << 2)), lanes_within(i, length));
}

/** All bits of the lanes of [i, i + 4) that are below `length`, which i is. */
export function lanes_within(i: u32, length: u32): v128 {
  return v128.load(LANES + (i + 4 <= length ? 0 : (<usize>(length - i) & 3) << 4));
}

function transpose(
  weights: usize,
  k: u32,
  group: u32,
  first: u32,
  length: u32,
  scratch: usize,
): void {
  const aLength = load<u32>(scratch, LENGTH);
  const bLength = load<u32>(scratch, LENGTH + 4);
  const cLength = load<u32>(scratch, LENGTH + 8);
  const dLength = load<u32>(scratch, LENGTH + 12);
  const aStart = group_start(weights, k, group, first);
  const bStart = group_start(weights, k, group, first + 1);
  const cStart = group_start(weights, k, group, first + 2);
  const dStart = group_start(weights, k, group, first + 3);
  const vectors = scratch + VECTORS;
  for (let i: u32 = 0; i < length; i += 4) {
    const a = load_within(aStart, i, aLength);
    const b = load_within(bStart, i, bLength);
    const c = load_within(cStart, i, cLength);
    const d = load_within(dStart, i, dLength);
    const abLow = i32x4.shuffle(a, b, 0, 4, 1, 5);
    const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
    const cdLow = i32x4.shuffle(c, d, 0, 4, 1, 5);
    const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
    const to = vectors + ((<usize>i) << 4);
    v128.store(to, i64x2.shuffle(abLow, cdLow, 0, 2));
    v128.store(to, i64x2.shuffle(abLow, cdLow, 1, 3), 16);
    v128.store(to, i64x2.shuffle(abHigh, cdHigh, 0, 2), 32);
    v128.store(to, i64x2.shuffle(abHigh, cdHigh, 1, 3), 48);
  }
}

function normalize(vectors: usize, count: u32, alone: bool, scratch: usize): void {
  let extreme = f32x4.splat(0);
  for (let i: u32 = 0; i < count; i++) {
    const v = v128.load(vectors + ((<usize>i) << 4));
    extreme = v128.bitselect(v, extreme, f32x4.gt(f32x4.abs(v), f32x4.abs(extreme)));
  }
  if (alone) {
    extreme = larger(extreme, i32x4.shuffle(extreme, extreme, 2, 3, 0, 1));
    extreme = larger(extreme, i32x4.shuffle(extreme, extreme, 1, 0, 3, 2));
    extreme = f32x4.splat(f32x4.extract_lane(extreme, 0));
  }
  const norm = norms_of(extreme);
  v128.store(scratch, norm, NORM);
  v128.store(scratch, f32x4.mul(extreme, norm), EXTREME);
  for (let i: u32 = 0; i < count; i++) {
    const at = vectors + ((<usize>i) << 4);
    v128.store(at, f32x4.mul(v128.load(at), norm));
  }
}

function larger(a: v128, b: v128): v128 {
  return v128.bitselect(b, a, f32x4.gt(f32x4.abs(b), f32x4.abs(a)));
}

/** 2^-e for an extreme of 2^e to 2^(e + 1), as far as normal floats reach. */
export function norms_of(extreme: v128): v128 {
  const biased = v128.and(i32x4.shr_u(extreme, 23), i32x4.splat(0xff));
  const within = i32x4.max_s(i32x4.min_s(biased, i32x4.splat(253)), i32x4.splat(1));
  return i32x4.shl(i32x4.sub(i32x4.splat(254), within), 23);
}

// Four sums: of every lane, which is one chunk; or of a group alone, float64 while its chunks are added.
//
//   sums   f64 [4, 4] (sum, lane), then f32x4 [4] at the same place

/** Those of groups that are not alone. */
export function put_sums(sums: usize, a: v128, b: v128, c: v128, d: v128): void {
  v128.store(sums, a);
  v128.store(sums, b, 16);
  v128.store(sums, c, 32);
  v128.store(sums, d, 48);
}

export function clear_sums(sums: usize): void {
  memory.fill(sums, 0, 128);
}

export function add_chunk(sums: usize, a: v128, b: v128, c: v128, d: v128): void {
  add_lanes(sums, a);
  add_lanes(sums + 32, b);
  add_lanes(sums + 64, c);
  add_lanes(sums + 96, d);
}

/** Of a group alone, in all lanes. */
export function store_sums(sums: usize): void {
  for (let i: usize = 0; i < 4; i++) {
    const pair = f64x2.add(v128.load(sums + (i << 5)), v128.load(sums + (i << 5), 16));
    const sum = f64x2.extract_lane(pair, 0) + f64x2.extract_lane(pair, 1);
    v128.store(sums + (i << 4), f32x4.splat(<f32>sum));
  }
}

function add_lanes(sum: usize, lanes: v128): void {
  const high = i64x2.shuffle(lanes, lanes, 1, 1);
  v128.store(sum, f64x2.add(v128.load(sum), f64x2.promote_low_f32x4(lanes)));
  v128.store(sum, f64x2.add(v128.load(sum, 16), f64x2.promote_low_f32x4(high)), 16);
}

/** 1 / scale; 0 of 0, which takes all to level 0. */
export function inverse_of(scale: v128): v128 {
  const inverse = f32x4.div(f32x4.splat(1), scale);
  return v128.andnot(inverse, f32x4.eq(scale, f32x4.splat(0)));
}

/** Levels of 0 to 255 as codes, one a byte. */
export function store_codes(codes: usize, levels: v128): void {
  const wide = i32x4.trunc_sat_f32x4_s(levels);
  const narrow = i16x8.narrow_i32x4_s(wide, wide);
  v128.store32_lane(codes, i8x16.narrow_i16x8_u(narrow, narrow), 0);
}

/** Bytes of scratch that groups of at most `group` weights need. */
export function scratch_bytes(group: u32): usize {
  return VECTORS + <usize>(group + 3) * (group > LONG ? 4 : 16);
}
