// The table of one palette group: values fitted to a distribution by Lloyd's algorithm, then expressed as
// integers of 7 or 8 bits times a unit. Works on a histogram with prefix sums, so a step costs the same for any
// number of weights, and the same weights give the same table.

const BINS = 2048;
/** Bins taken together where a density is estimated. */
const SMOOTHED = 32;
const LLOYD_STEPS = 300;
/** Parts of the largest value that the largest entry may stand for: below 1 outliers are clipped, for finer steps. */
const CLIPS = [1, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2];

/** Values with weights, by bins of equal width over [-extreme, extreme]. */
export class Histogram {
  readonly #extreme: number;
  readonly #perBin: number;
  /** Sums over all bins below: of weights, of weighted values, of weighted squares. [BINS + 1] */
  readonly #count = new Float64Array(BINS + 1);
  readonly #sum = new Float64Array(BINS + 1);
  readonly #squares = new Float64Array(BINS + 1);

  /** @param extreme largest magnitude of all values, above 0 */
  constructor(extreme: number) {
    this.#extreme = extreme;
    this.#perBin = BINS / (2 * extreme);
  }

  get extreme(): number {
    return this.#extreme;
  }

  /** Adds values, all of one weight; call `close` after the last. */
  add(values: ArrayLike<number>, factor: number, weight: number): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]! * factor;
      const above = this.bin(value) + 1;
      this.#count[above]! += weight;
      this.#sum[above]! += weight * value;
      this.#squares[above]! += weight * value * value;
    }
  }

  close(): void {
    for (const sums of [this.#count, this.#sum, this.#squares]) {
      for (let i = 1; i <= BINS; i++) sums[i]! += sums[i - 1]!;
    }
  }

  /** The bin that holds `value`; values outside belong to the outermost. */
  bin(value: number): number {
    const at = Math.floor((value + this.#extreme) * this.#perBin);
    return Math.max(0, Math.min(BINS - 1, at));
  }

  /** Mean of bins [begin, end); `empty` if they hold nothing. */
  mean(begin: number, end: number, empty: number): number {
    const count = this.#count[end]! - this.#count[begin]!;
    return count > 0 ? (this.#sum[end]! - this.#sum[begin]!) / count : empty;
  }

  /** Squared error of bins [begin, end) if all their values become `value`. */
  error(begin: number, end: number, value: number): number {
    const count = this.#count[end]! - this.#count[begin]!;
    const sum = this.#sum[end]! - this.#sum[begin]!;
    return this.#squares[end]! - this.#squares[begin]! - 2 * value * sum + value * value * count;
  }

  /** Values that part the square root of the density in equal areas: near where Lloyd's algorithm ends. */
  spread(count: number): Float64Array {
    const areas = new Float64Array(BINS + 1);
    for (let i = 0; i < BINS; i++) {
      const from = i - (i % SMOOTHED);
      const density = this.#count[from + SMOOTHED]! - this.#count[from]!;
      areas[i + 1] = areas[i]! + Math.sqrt(density);
    }
    const out = new Float64Array(count);
    for (let i = 0, bin = 0; i < count; i++) {
      while (areas[bin + 1]! < ((i + 0.5) / count) * areas[BINS]!) bin++;
      out[i] = (bin + 0.5) / this.#perBin - this.#extreme;
    }
    return out;
  }
}

/** A table in ascending order: values are entries * unit. */
export interface LutFit {
  readonly entries: Int8Array;
  readonly unit: number;
}

/**
 * The table with the least squared error that was found.
 * @param count entries
 * @param most largest magnitude of an entry
 */
export function fitLut(values: Histogram, count: number, most: number): LutFit {
  const entryOf = (x: number) => Math.max(-most, Math.min(most, Math.floor(x + 0.5)));
  const centers = values.spread(count);
  lloyd(values, centers, (mean) => mean);
  let best: LutFit | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const clip of CLIPS) {
    const unit = (clip * values.extreme) / most;
    const round = (value: number) => unit * entryOf(value / unit);
    const rounded = centers.map(round);
    const error = lloyd(values, rounded, round);
    if (error >= least) continue;
    least = error;
    best = { entries: Int8Array.from(rounded, (value) => entryOf(value / unit)), unit };
  }
  return best!;
}

/**
 * Moves every center to the mean of the values nearest to it, rounded by `round`, until nothing changes.
 * @returns the squared error
 */
function lloyd(values: Histogram, centers: Float64Array, round: (mean: number) => number): number {
  const bounds = new Int32Array(centers.length + 1);
  bounds[centers.length] = BINS;
  for (let step = 0; step < LLOYD_STEPS; step++) {
    let moved = false;
    for (let i = 1; i < centers.length; i++) {
      bounds[i] = values.bin((centers[i - 1]! + centers[i]!) / 2);
    }
    for (let i = 0; i < centers.length; i++) {
      const center = round(values.mean(bounds[i]!, bounds[i + 1]!, centers[i]!));
      if (center !== centers[i]) moved = true;
      centers[i] = center;
    }
    if (!moved) break;
  }
  let error = 0;
  for (let i = 0; i < centers.length; i++) {
    error += values.error(bounds[i]!, bounds[i + 1]!, centers[i]!);
  }
  return error;
}
