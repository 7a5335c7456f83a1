// Palettes with one table that a recipe gave, and a scale for each group of weights along k, or for each channel; or
// none. Of a few scales around that which makes the largest weight the largest entry, each refitted by least squares,
// the one of least squared error wins.

import { ALL, groupCount, paddedK, type WeightFormat } from '../../formats/format.js';
import type { FittedStrip, Floats } from './fit.js';
import type { FitCore } from './fit_core.js';
import { NearestEntry } from './nearest_entry.js';
import { allInHalf, storedScale } from './stored_entries.js';

/** Of the scale that clips nothing. */
const PARTS = [1, 0.95, 0.9, 0.85, 0.8, 0.7, 1.08];

/** @param weights all rows [n, k], or those of a strip */
export function fitCustomTable(
  weights: Floats,
  k: number,
  { bits, scale }: WeightFormat,
  core: FitCore,
  given: readonly number[],
): FittedStrip {
  const rows = weights.length / k;
  const codes = new Uint8Array(rows * paddedK(k));
  // Room that the recipe left is filled with what is there, so that no other value comes in.
  const lut = Float32Array.from({ length: 2 ** bits }, (_, i) => given[i] ?? given.at(-1)!);
  const table = new CustomTable(lut, core);
  const inGroups = scale?.rows === 1;
  const groups = inGroups ? groupCount(scale, k) : 1;
  const length = inGroups && scale.k !== ALL ? scale.k : k;
  const scales = new Float32Array(inGroups ? rows * groups : scale ? 1 : 0).fill(1);
  for (let row = 0; row < rows; row++) {
    for (let g = 0; g < groups; g++) {
      const end = Math.min((g + 1) * length, k);
      const w = weights.subarray(row * k + g * length, row * k + end);
      const indices = codes.subarray(row * paddedK(k) + g * length, row * paddedK(k) + end);
      if (inGroups) scales[row * groups + g] = table.fit(w, indices);
      else table.assign(w, 1, indices);
    }
  }
  return { codes, scales, lut, inHalf: allInHalf(scales, core) };
}

class CustomTable {
  readonly #core: FitCore;
  readonly #entries: Float32Array;
  readonly #nearest: NearestEntry;
  readonly #largest: number;
  /** A table that is not symmetric may fit better upside down. */
  readonly #signs: readonly number[];
  readonly #point = new Float64Array(1);

  constructor(entries: Float32Array, core: FitCore) {
    this.#core = core;
    this.#entries = entries;
    this.#nearest = new NearestEntry(entries, 1);
    const high = entries.reduce((a, b) => Math.max(a, b));
    const low = entries.reduce((a, b) => Math.min(a, b));
    this.#largest = Math.max(high, -low);
    this.#signs = high === -low ? [1] : [1, -1];
  }

  /** Writes indices. @returns the scale as it is stored */
  fit(w: Floats, indices: Uint8Array): number {
    let extreme = 0;
    for (const value of w) extreme = Math.max(extreme, Math.abs(value));
    let best = 0;
    let most = 0;
    for (const sign of this.#signs) {
      for (const part of PARTS) {
        const { we, ee } = this.assign(w, (sign * part * extreme) / this.#largest, indices);
        // With the least-squares scale we / ee the squared error is that of the weights less we^2 / ee.
        if (ee === 0 || (we * we) / ee <= most) continue;
        most = (we * we) / ee;
        best = we / ee;
      }
    }
    const stored = storedScale(best, this.#core);
    this.assign(w, stored, indices);
    return stored;
  }

  /** Writes the index nearest to every w / scale. @returns the sums of w * entry and of entry^2 */
  assign(w: Floats, scale: number, indices: Uint8Array): { we: number; ee: number } {
    let we = 0;
    let ee = 0;
    for (let i = 0; i < w.length; i++) {
      this.#point[0] = scale === 0 ? 0 : w[i]! / scale;
      const index = this.#nearest.indexOf(this.#point, 0);
      const entry = this.#entries[index]!;
      indices[i] = index;
      we += w[i]! * entry;
      ee += entry * entry;
    }
    return { we, ee };
  }
}
