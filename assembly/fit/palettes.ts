// The fit of palettes: w ~ scale * lut[index], tables of integers for groups of rows.
//
//   weights f32 [rows, k]              finite: whole groups of `tableRows` rows, but for a last one
//   codes   u8 [rows, stride]          written: indices; without meaning behind k
//   scales  f32 [rows] or [tables]     written: as they are stored
//   tables  i8 [tables, 2^bits]        written, ascending
//   scratch                            palette_scratch_bytes
//
// With a scale per channel rows are brought to one size, first by their root mean square, so that a table fits them
// all; then tables and scales are fitted by turns. Errors count as they are in the weights.
//
// A row is measured times its norm, a power of two that brings its largest magnitude near 1; its size is what brings
// it, so multiplied, to the table: rows are w * norm / size.

import { sum4 } from '../simd';
import { load_within, norms_of } from './groups';
import { as_stored, holds_in_half } from './half';
import { add_row, close_histogram, HISTOGRAM_BYTES } from './histogram';
import { assign_row, fill_lookup, LOOKUP_BYTES, measure_row } from './nearest';
import { fit_table, TABLE_SCRATCH } from './table';

const TURNS: u32 = 2;
// Scales tried for a row, as parts of the one that the group suggests: rows differ in shape too.
const PARTS = memory.data<f64>([1.0, 0.8, 0.9, 1.1, 1.25]);
const PART_COUNT: u32 = 5;

const SUMS: usize = 0;
const LOOKUP: usize = SUMS + 16;
const TABLE: usize = LOOKUP + LOOKUP_BYTES;
const HISTOGRAM: usize = TABLE + TABLE_SCRATCH;
/** Of every row: extreme f32, norm f32, size f64. */
const ROWS: usize = HISTOGRAM + HISTOGRAM_BYTES;
const NORM: usize = 4;
const SIZE: usize = 8;

/** Bytes of scratch for tables of `tableRows` rows. */
export function palette_scratch_bytes(tableRows: u32): usize {
  return ROWS + <usize>tableRows * 16;
}

/** Returns whether float16 holds all scales. */
export function fit_palettes(
  weights: usize,
  rows: u32,
  k: u32,
  tableRows: u32,
  bits: u32,
  most: i32,
  perChannel: bool,
  codes: usize,
  stride: u32,
  scales: usize,
  tables: usize,
  scratch: usize,
): bool {
  memory.fill(codes, 0, <usize>rows * stride);
  const count: u32 = 1 << bits;
  let inHalf = true;
  for (let first: u32 = 0; first < rows; first += tableRows, tables += count) {
    const together = min(tableRows, rows - first);
    const w = weights + ((<usize>first * k) << 2);
    const to = codes + <usize>first * stride;
    memory.fill(tables, 0, count);
    measure_sizes(w, together, k, perChannel, scratch);
    if (perChannel) {
      memory.fill(scales, 0, (<usize>together) << 2);
      fit_channels(w, together, k, bits, most, to, stride, scales, tables, scratch);
    } else {
      store<f32>(scales, 0);
      fit_together(w, together, k, bits, most, to, stride, scales, tables, scratch);
    }
    const own = perChannel ? together : 1;
    for (let i: u32 = 0; i < own; i++, scales += 4) {
      if (!holds_in_half(<f64>load<f32>(scales))) inHalf = false;
    }
  }
  return inHalf;
}

/** One scale, the table's unit, for all rows. */
function fit_together(
  w: usize,
  rows: u32,
  k: u32,
  bits: u32,
  most: i32,
  codes: usize,
  stride: u32,
  scales: usize,
  table: usize,
  scratch: usize,
): void {
  const unit = fit_rows(w, rows, k, bits, most, table, scratch);
  if (unit == 0) return;
  const norm = load<f32>(scratch + ROWS, NORM);
  const exact = unit / <f64>norm;
  const scale = as_stored(exact, holds_in_half(exact));
  store<f32>(scales, <f32>scale);
  const inverse = <f32>(1.0 / (scale * <f64>norm));
  for (let r: u32 = 0; r < rows; r++) {
    const row = w + ((<usize>r * k) << 2);
    assign_row(row, k, norm, inverse, most, scratch + LOOKUP, codes + <usize>r * stride);
  }
}

/** Tables and the rows' scales by turns. */
function fit_channels(
  w: usize,
  rows: u32,
  k: u32,
  bits: u32,
  most: i32,
  codes: usize,
  stride: u32,
  scales: usize,
  table: usize,
  scratch: usize,
): void {
  for (let turn: u32 = 0; turn < TURNS; turn++) {
    const unit = fit_rows(w, rows, k, bits, most, table, scratch);
    if (unit == 0) return;
    for (let r: u32 = 0; r < rows; r++) {
      const at = scratch + ROWS + ((<usize>r) << 4);
      const size = load<f64>(at, SIZE);
      if (size == 0) continue;
      const norm = <f64>load<f32>(at, NORM);
      const row = w + ((<usize>r * k) << 2);
      const scale = fit_scale(row, k, <f32>norm, size * unit, most, scratch);
      const exact = scale / norm;
      const stored = as_stored(exact, holds_in_half(exact));
      store<f32>(scales + ((<usize>r) << 2), <f32>stored);
      store<f64>(at, (stored * norm) / unit, SIZE);
      if (turn + 1 < TURNS) continue;
      const inverse = inverse_of(stored * norm);
      assign_row(row, k, <f32>norm, inverse, most, scratch + LOOKUP, codes + <usize>r * stride);
    }
  }
}

/** Fits a table to rows over their sizes, and fills the lookup. Returns the table's unit; 0: all are zero. */
function fit_rows(
  w: usize,
  rows: u32,
  k: u32,
  bits: u32,
  most: i32,
  table: usize,
  scratch: usize,
): f64 {
  let extreme: f64 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const at = scratch + ROWS + ((<usize>r) << 4);
    const size = load<f64>(at, SIZE);
    if (size > 0) extreme = max(extreme, <f64>(load<f32>(at) * load<f32>(at, NORM)) / size);
  }
  if (extreme == 0) return 0;
  const histogram = scratch + HISTOGRAM;
  memory.fill(histogram, 0, HISTOGRAM_BYTES);
  for (let r: u32 = 0; r < rows; r++) {
    const at = scratch + ROWS + ((<usize>r) << 4);
    const size = load<f64>(at, SIZE);
    if (size == 0) continue;
    const norm = load<f32>(at, NORM);
    const exact = size / <f64>norm;
    const row = w + ((<usize>r * k) << 2);
    add_row(histogram, row, k, norm, <f32>(1.0 / (size * extreme)), exact * exact);
  }
  close_histogram(histogram);
  const unit = extreme * fit_table(histogram, 1 << bits, most, table, scratch + TABLE);
  fill_lookup(table, 1 << bits, most, scratch + LOOKUP);
  return unit;
}

/** The least-squares scale of one row, times norm. @param around the scale to try, and parts of it */
function fit_scale(w: usize, k: u32, norm: f32, around: f64, most: i32, scratch: usize): f64 {
  let best: f64 = 0;
  let gain: f64 = 0;
  for (let i: u32 = 0; i < PART_COUNT; i++) {
    const scale = around * load<f64>(PARTS + ((<usize>i) << 3));
    measure_row(w, k, norm, inverse_of(scale), most, scratch + LOOKUP, scratch + SUMS);
    const we = scale * load<f64>(scratch, SUMS);
    const ee = load<f64>(scratch, SUMS + 8);
    // With the scale we / ee the squared error is that of the weights less we^2 / ee.
    if (ee == 0 || (we * we) / ee <= gain) continue;
    gain = (we * we) / ee;
    best = we / ee;
  }
  return best;
}

function inverse_of(scale: f64): f32 {
  return scale == 0 ? 0 : <f32>(1.0 / scale);
}

/** Extremes, norms and first sizes: root mean squares, times norm; without scales of their own all have one. */
function measure_sizes(w: usize, rows: u32, k: u32, perChannel: bool, scratch: usize): void {
  let largest: f32 = 0;
  for (let r: u32 = 0; r < rows; r++) {
    const at = scratch + ROWS + ((<usize>r) << 4);
    const row = w + ((<usize>r * k) << 2);
    const extreme = extreme_of(row, k);
    largest = max(largest, extreme);
    store<f32>(at, extreme);
    store<f32>(at, norm_of(extreme), NORM);
    store<f64>(at, perChannel ? root_mean_square(row, k, norm_of(extreme)) : 1.0, SIZE);
  }
  if (perChannel) return;
  for (let r: u32 = 0; r < rows; r++) {
    store<f32>(scratch + ROWS + ((<usize>r) << 4), norm_of(largest), NORM);
  }
}

function extreme_of(w: usize, k: u32): f32 {
  let extreme = f32x4.splat(0);
  for (let i: u32 = 0; i < k; i += 4) {
    extreme = f32x4.pmax(extreme, f32x4.abs(load_within(w, i, k)));
  }
  const pairs = f32x4.pmax(extreme, i32x4.shuffle(extreme, extreme, 2, 3, 0, 1));
  return max<f32>(f32x4.extract_lane(pairs, 0), f32x4.extract_lane(pairs, 1));
}

function norm_of(extreme: f32): f32 {
  return f32x4.extract_lane(norms_of(f32x4.splat(extreme)), 0);
}

/** Of w * norm. */
function root_mean_square(w: usize, k: u32, norm: f32): f64 {
  const norms = f32x4.splat(norm);
  let sum: f64 = 0;
  for (let begin: u32 = 0; begin < k; begin += 1024) {
    const end = min<u32>(begin + 1024, k);
    let squares = f32x4.splat(0);
    for (let i = begin; i < end; i += 4) {
      const v = f32x4.mul(load_within(w, i, k), norms);
      squares = f32x4.add(squares, f32x4.mul(v, v));
    }
    sum += <f64>sum4(squares);
  }
  return sqrt(sum / <f64>k);
}
