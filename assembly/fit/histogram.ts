// Values of -1 to 1 with weights, by bins of equal width; all values of a bin count as its middle.
//
//   histogram   f64 [3, BINS + 1]: sums over all bins below, of weights, of weighted values, of weighted squares

import { load_within } from './groups';

export const BINS: u32 = 2048;
export const HISTOGRAM_BYTES: usize = 3 * (BINS + 1) * 8;

const SUM: usize = (BINS + 1) * 8;
const SQUARES: usize = 2 * (BINS + 1) * 8;
const HALF: f32 = <f32>(BINS / 2);
/** Bins taken together where a density is estimated. */
const SMOOTHED: u32 = 32;

/** Adds w * norm * factor for k weights, all of one weight; call `close_histogram` after the last. */
export function add_row(
  histogram: usize,
  w: usize,
  k: u32,
  norm: f32,
  factor: f32,
  weight: f64,
): void {
  const norms = f32x4.splat(norm);
  const factors = f32x4.splat(factor * HALF);
  for (let i: u32 = 0; i < k; i += 4) {
    const v = f32x4.mul(f32x4.mul(load_within(w, i, k), norms), factors);
    const bins = i32x4.trunc_sat_f32x4_s(f32x4.add(v, f32x4.splat(HALF)));
    const within = i32x4.min_s(i32x4.max_s(bins, i32x4.splat(0)), i32x4.splat(BINS - 1));
    add(histogram, i32x4.extract_lane(within, 0), weight);
    if (i + 1 < k) add(histogram, i32x4.extract_lane(within, 1), weight);
    if (i + 2 < k) add(histogram, i32x4.extract_lane(within, 2), weight);
    if (i + 3 < k) add(histogram, i32x4.extract_lane(within, 3), weight);
  }
}

function add(histogram: usize, bin: u32, weight: f64): void {
  const at = histogram + ((<usize>bin) << 3);
  store<f64>(at, load<f64>(at, 8) + weight, 8);
}

export function close_histogram(histogram: usize): void {
  let count: f64 = 0;
  let sum: f64 = 0;
  let squares: f64 = 0;
  store<f64>(histogram, 0);
  store<f64>(histogram, 0, SUM);
  store<f64>(histogram, 0, SQUARES);
  for (let bin: u32 = 0; bin < BINS; bin++) {
    const at = histogram + ((<usize>(bin + 1)) << 3);
    const own = load<f64>(at);
    const middle = (<f64>bin + 0.5) * (2.0 / <f64>BINS) - 1.0;
    count += own;
    sum += own * middle;
    squares += own * middle * middle;
    store<f64>(at, count);
    store<f64>(at, sum, SUM);
    store<f64>(at, squares, SQUARES);
  }
}

/** Bins that lie below `value`, to the nearest. */
export function bins_below(value: f64): u32 {
  const bins = nearest((value + 1.0) * (<f64>BINS / 2.0));
  return <u32>max<f64>(0, min<f64>(<f64>BINS, bins));
}

export function count_below(histogram: usize, bins: u32): f64 {
  return load<f64>(histogram + ((<usize>bins) << 3));
}

export function sum_below(histogram: usize, bins: u32): f64 {
  return load<f64>(histogram + ((<usize>bins) << 3), SUM);
}

export function squares_below(histogram: usize, bins: u32): f64 {
  return load<f64>(histogram + ((<usize>bins) << 3), SQUARES);
}

/** To `centers`, f64 [count]: values that part the square root of the density in equal areas. */
export function spread(histogram: usize, count: u32, centers: usize): void {
  let total: f64 = 0;
  for (let bin: u32 = 0; bin < BINS; bin += SMOOTHED) total += <f64>SMOOTHED * root(histogram, bin);
  let area: f64 = 0;
  let bin: u32 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const wanted = ((<f64>i + 0.5) / <f64>count) * total;
    while (bin < BINS - 1 && area + root(histogram, bin) < wanted) area += root(histogram, bin++);
    store<f64>(centers + ((<usize>i) << 3), (<f64>bin + 0.5) * (2.0 / <f64>BINS) - 1.0);
  }
}

/** Root of the density around a bin. */
function root(histogram: usize, bin: u32): f64 {
  const from = bin - (bin % SMOOTHED);
  return sqrt(count_below(histogram, from + SMOOTHED) - count_below(histogram, from));
}
