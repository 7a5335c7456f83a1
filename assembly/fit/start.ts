// Where Lloyd's algorithm begins: of MANY candidates, closer where values are denser, those whose squared error is least
// of all choices. By dynamic programming: the best last center before a candidate moves up with that, so the middle
// candidate's bounds those of the others.
//
//   centers   f64 [count]      written, ascending
//   scratch   fields below

import { BINS, bins_below, count_below, spread, squares_below, sum_below } from './histogram';

const MANY: u32 = 128;
/** More centers than these hardly get stuck. */
export const MOST_STARTS: u32 = 16;

const CANDIDATES: usize = 0;
/** u32: bins below each. */
const BELOW: usize = CANDIDATES + 8 * MANY;
/** f64: least error of the values below a candidate that is a center, with one center less, and with this many. */
const BEFORE: usize = BELOW + 4 * MANY;
const ERRORS: usize = BEFORE + 8 * MANY;
/** u8 [MOST_STARTS, MANY]: the center before. */
const CHOICES: usize = ERRORS + 8 * MANY;
export const START_SCRATCH: usize = CHOICES + MOST_STARTS * MANY;

export function choose_start(histogram: usize, count: u32, centers: usize, scratch: usize): void {
  spread(histogram, MANY, scratch + CANDIDATES);
  for (let b: u32 = 0; b < MANY; b++) {
    const below = bins_below(candidate(scratch, b));
    store<u32>(scratch + ((<usize>b) << 2), below, BELOW);
    store<f64>(
      scratch + ((<usize>b) << 3),
      cost(histogram, candidate(scratch, b), 0, below),
      ERRORS,
    );
  }
  for (let i: u32 = 1; i < count; i++) {
    memory.copy(scratch + BEFORE, scratch + ERRORS, 8 * MANY);
    for (let b: u32 = 0; b < i; b++) store<f64>(scratch + ((<usize>b) << 3), Infinity, ERRORS);
    solve(histogram, i, i, MANY - 1, i - 1, MANY - 2, scratch);
  }
  let least: f64 = Infinity;
  let last: u32 = count - 1;
  for (let b = count - 1; b < MANY; b++) {
    const rest = cost(histogram, candidate(scratch, b), below_of(scratch, b), BINS);
    const error = load<f64>(scratch + ((<usize>b) << 3), ERRORS) + rest;
    if (error >= least) continue;
    least = error;
    last = b;
  }
  for (let i = count - 1; ; i--) {
    store<f64>(centers + ((<usize>i) << 3), candidate(scratch, last));
    if (i == 0) return;
    last = load<u8>(scratch + <usize>(i * MANY + last), CHOICES);
  }
}

/** Center `i` at candidates [low, high], the one before at [from, to]. */
function solve(
  histogram: usize,
  i: u32,
  low: u32,
  high: u32,
  from: u32,
  to: u32,
  scratch: usize,
): void {
  const middle = (low + high) >> 1;
  const b = candidate(scratch, middle);
  const end = below_of(scratch, middle);
  let least: f64 = Infinity;
  let choice = from;
  for (let before = from; before <= min(to, middle - 1); before++) {
    const a = candidate(scratch, before);
    const half = bins_below((a + b) * 0.5);
    const error =
      load<f64>(scratch + ((<usize>before) << 3), BEFORE) +
      cost(histogram, a, below_of(scratch, before), half) +
      cost(histogram, b, half, end);
    if (error >= least) continue;
    least = error;
    choice = before;
  }
  store<f64>(scratch + ((<usize>middle) << 3), least, ERRORS);
  store<u8>(scratch + <usize>(i * MANY + middle), <u8>choice, CHOICES);
  if (low < middle) solve(histogram, i, low, middle - 1, from, choice, scratch);
  if (middle < high) solve(histogram, i, middle + 1, high, choice, to, scratch);
}

/** Squared error if all values of bins [begin, end) become `value`. */
function cost(histogram: usize, value: f64, begin: u32, end: u32): f64 {
  const count = count_below(histogram, end) - count_below(histogram, begin);
  const sum = sum_below(histogram, end) - sum_below(histogram, begin);
  const squares = squares_below(histogram, end) - squares_below(histogram, begin);
  return squares - value * (2.0 * sum - value * count);
}

function candidate(scratch: usize, b: u32): f64 {
  return load<f64>(scratch + ((<usize>b) << 3), CANDIDATES);
}

function below_of(scratch: usize, b: u32): u32 {
  return load<u32>(scratch + ((<usize>b) << 2), BELOW);
}
