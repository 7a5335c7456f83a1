// The table of one palette: integers times a unit, near the least squared error that there is.
//
// Centers are found by Lloyd's algorithm, as 1-D k-means usually is, from a good start. For a unit they are rounded to integers, and these
// moved, all at once, by dynamic programming: of the sequences that stay within REACH of the latest the best is next,
// until none is better. That is so for every unit that is tried.
//
//   table     i8 [count]            written, ascending
//   scratch   fields below

import { BINS, bins_below, count_below, spread, squares_below, sum_below } from './histogram';
import { choose_start, MOST_STARTS, START_SCRATCH } from './start';

const MAX_COUNT: u32 = 256;
const LLOYD_STEPS: u32 = 100;
/** Integers that an entry may be moved by at a time. */
const REACH: i32 = 3;
const CHOICES: u32 = 7;
const ROUNDS: u32 = 16;
// Parts of the largest value that the largest entry may stand for: below 1 outliers are clipped, for finer steps.
const CLIPS = memory.data<f64>([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]);
const CLIP_COUNT: u32 = 9;
/** Half steps of entries of 8 bits, both ends included. */
const HALF_STEPS: usize = 4 * 127 + 1;

const CENTERS: usize = 0;
const BOUNDS: usize = CENTERS + 8 * MAX_COUNT;
/** f64 [HALF_STEPS, 3]: sums below every half step, as of values over the unit: of weights, values and squares. */
const STEPS: usize = BOUNDS + 8 * (MAX_COUNT + 1);
/** i32: of the sequence at hand. */
const ENTRIES: usize = STEPS + 24 * HALF_STEPS;
/** f64 [MAX_COUNT, CHOICES]: least error up to an entry, if it has this choice. */
const ERRORS: usize = ENTRIES + 4 * MAX_COUNT;
/** u32 [MAX_COUNT, CHOICES]: the choice of the entry before. */
const BEFORE: usize = ERRORS + 8 * MAX_COUNT * CHOICES;
const START: usize = BEFORE + 4 * MAX_COUNT * CHOICES;
export const TABLE_SCRATCH: usize = START + START_SCRATCH;

/**
 * @param most largest magnitude of an entry
 * @returns the unit, where the histogram's largest value is 1
 */
export function fit_table(
  histogram: usize,
  count: u32,
  most: i32,
  table: usize,
  scratch: usize,
): f64 {
  if (<i32>count > 2 * most) return fill_table(count, most, table);
  if (count > MOST_STARTS) spread(histogram, count, scratch + CENTERS);
  else choose_start(histogram, count, scratch + CENTERS, scratch + START);
  lloyd(histogram, count, scratch);
  let best: f64 = 0;
  let least: f64 = Infinity;
  for (let i: u32 = 0; i < CLIP_COUNT; i++) {
    const unit = load<f64>(CLIPS + ((<usize>i) << 3)) / <f64>most;
    sum_steps(histogram, unit, most, scratch);
    round_centers(count, most, unit, scratch);
    const error = unit * unit * improve(count, most, scratch);
    if (error >= least) continue;
    least = error;
    best = unit;
    for (let j: u32 = 0; j < count; j++) store<i8>(table + j, <i8>entry(scratch, j));
  }
  return best;
}

/** All integers, where there are entries enough. */
function fill_table(count: u32, most: i32, table: usize): f64 {
  for (let i: u32 = 0; i < count; i++) store<i8>(table + i, <i8>min<i32>(<i32>i - most, most));
  return 1.0 / <f64>most;
}

/** Moves every center to the mean of the values nearest to it, until nothing changes. */
function lloyd(histogram: usize, count: u32, scratch: usize): void {
  const centers = scratch + CENTERS;
  const bounds = scratch + BOUNDS;
  store<u32>(bounds, 0);
  store<u32>(bounds + ((<usize>count) << 2), BINS);
  for (let step: u32 = 0; step < LLOYD_STEPS; step++) {
    for (let i: u32 = 1; i < count; i++) {
      const at = centers + ((<usize>i) << 3);
      store<u32>(bounds + ((<usize>i) << 2), bins_below((load<f64>(at - 8) + load<f64>(at)) * 0.5));
    }
    let moved = false;
    for (let i: u32 = 0; i < count; i++) {
      const begin = load<u32>(bounds + ((<usize>i) << 2));
      const end = load<u32>(bounds + ((<usize>i) << 2), 4);
      const weight = count_below(histogram, end) - count_below(histogram, begin);
      if (weight <= 0) continue;
      const mean = (sum_below(histogram, end) - sum_below(histogram, begin)) / weight;
      const at = centers + ((<usize>i) << 3);
      if (mean != load<f64>(at)) moved = true;
      store<f64>(at, mean);
    }
    if (!moved) return;
  }
}

function sum_steps(histogram: usize, unit: f64, most: i32, scratch: usize): void {
  for (let h = -2 * most; h <= 2 * most; h++) {
    const bins = bins_below(<f64>h * 0.5 * unit);
    const at = scratch + STEPS + <usize>(h + 2 * most) * 24;
    store<f64>(at, count_below(histogram, bins));
    store<f64>(at, sum_below(histogram, bins) / unit, 8);
    store<f64>(at, squares_below(histogram, bins) / (unit * unit), 16);
  }
  const last = scratch + STEPS + <usize>(4 * most) * 24;
  // The outermost entries have all that lies beyond.
  store<f64>(scratch, 0, STEPS);
  store<f64>(scratch, 0, STEPS + 8);
  store<f64>(scratch, 0, STEPS + 16);
  store<f64>(last, count_below(histogram, BINS));
  store<f64>(last, sum_below(histogram, BINS) / unit, 8);
  store<f64>(last, squares_below(histogram, BINS) / (unit * unit), 16);
}

/** Integers near the centers over the unit, each above the one before. */
function round_centers(count: u32, most: i32, unit: f64, scratch: usize): void {
  let least = -most;
  for (let i: u32 = 0; i < count; i++) {
    const center = nearest(load<f64>(scratch + ((<usize>i) << 3), CENTERS) / unit);
    const within = <i32>max<f64>(<f64>least, min<f64>(<f64>most, center));
    store<i32>(scratch + ((<usize>i) << 2), within, ENTRIES);
    least = within + 1;
  }
  let highest = most;
  for (let i: i32 = <i32>count - 1; i >= 0; i--) {
    const at = scratch + ((<usize>i) << 2);
    store<i32>(at, min<i32>(load<i32>(at, ENTRIES), highest), ENTRIES);
    highest = load<i32>(at, ENTRIES) - 1;
  }
}

/** Returns the squared error, over the unit's square. */
function improve(count: u32, most: i32, scratch: usize): f64 {
  let error: f64 = Infinity;
  for (let round: u32 = 0; round < ROUNDS; round++) {
    const next = best_nearby(count, most, scratch);
    if (next >= error) return error;
    error = next;
  }
  return error;
}

/** Moves the entries to the best ones within REACH. Returns their squared error. */
function best_nearby(count: u32, most: i32, scratch: usize): f64 {
  const steps = scratch + STEPS + <usize>(2 * most) * 24;
  for (let i: u32 = 0; i < count; i++) {
    const row = <usize>i * CHOICES;
    for (let c: u32 = 0; c < CHOICES; c++) {
      const at = scratch + ((row + c) << 3);
      store<f64>(at, Infinity, ERRORS);
      const b = entry(scratch, i) - REACH + <i32>c;
      if (b < -most || b > most) continue;
      if (i == 0) {
        store<f64>(at, cost(steps, b, -2 * most, 2 * b), ERRORS);
        continue;
      }
      let least: f64 = Infinity;
      let before: u32 = 0;
      for (let p: u32 = 0; p < CHOICES; p++) {
        const a = entry(scratch, i - 1) - REACH + <i32>p;
        if (a >= b) break;
        const soFar = load<f64>(scratch + ((row - CHOICES + p) << 3), ERRORS);
        if (soFar >= least) continue;
        const error = soFar + cost(steps, a, 2 * a, a + b) + cost(steps, b, a + b, 2 * b);
        if (error >= least) continue;
        least = error;
        before = p;
      }
      store<f64>(at, least, ERRORS);
      store<u32>(scratch + ((row + c) << 2), before, BEFORE);
    }
  }
  return trace_back(count, most, steps, scratch);
}

function trace_back(count: u32, most: i32, steps: usize, scratch: usize): f64 {
  let least: f64 = Infinity;
  let choice: u32 = 0;
  const last = count - 1;
  for (let c: u32 = 0; c < CHOICES; c++) {
    const b = entry(scratch, last) - REACH + <i32>c;
    const soFar = load<f64>(scratch + ((<usize>last * CHOICES + c) << 3), ERRORS);
    if (soFar == Infinity) continue;
    const error = soFar + cost(steps, b, 2 * b, 2 * most);
    if (error >= least) continue;
    least = error;
    choice = c;
  }
  for (let i = <i32>last; i >= 0; i--) {
    const at = scratch + ((<usize>i) << 2);
    store<i32>(at, load<i32>(at, ENTRIES) - REACH + <i32>choice, ENTRIES);
    choice = load<u32>(scratch + ((<usize>i * CHOICES + choice) << 2), BEFORE);
  }
  return least;
}

/** Squared error if all values between two half steps become `value`. */
function cost(steps: usize, value: i32, begin: i32, end: i32): f64 {
  const from = steps + begin * 24;
  const to = steps + end * 24;
  const x = <f64>value;
  const count = load<f64>(to) - load<f64>(from);
  const sum = load<f64>(to, 8) - load<f64>(from, 8);
  const squares = load<f64>(to, 16) - load<f64>(from, 16);
  return squares - x * (2.0 * sum - x * count);
}

function entry(scratch: usize, i: u32): i32 {
  return load<i32>(scratch + ((<usize>i) << 2), ENTRIES);
}
