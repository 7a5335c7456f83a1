// The fit of one block of weights that share a scale. Scales and biases are rounded to the float type they are
// stored in before q is chosen, so q corrects that rounding. Below 8 bits the scale that the extremes
// suggest is rarely the best, so a few clipped or shifted ranges are tried, each refitted by least
// squares, and the smallest squared error wins. The first of equals wins: the same weights give the
// same bytes.

import type { Floats } from './fit.js';
import { holdsInHalf, roundToHalf } from './half.js';

// Levels that the weight of largest magnitude may take at 4 bits, sign included: -8 uses the whole range, more
// than 8 clips the extreme to give the others finer steps. Other widths take the same parts of their ranges.
const SYMMETRIC_LEVELS = [-8, -7.7, -7.4, -7.1, -8.3, -8.6, -9, -9.5, 7, 7.3, 6.7, 7.6, 8];
// Parts of the block's range that the levels span; what lies outside is clipped.
const RANGE_PARTS = [1, 0.96, 0.92, 0.88, 0.84, 0.8, 0.75, 1.04];
// Few levels are worth clipping more.
const FEW_LEVELS_BITS = 3;
const FEW_SYMMETRIC_LEVELS = [...SYMMETRIC_LEVELS, -10.5, -12, -14, -16.5, 9, 10.5, 12, 14];
const FEW_RANGE_PARTS = [...RANGE_PARTS, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45];

/** Fits block after block; `q`, `scale` and `bias` are the best fit of the latest one. */
export class LinearBlock {
  /** Levels of the weights, [length of the block]. */
  readonly q: Uint8Array;
  scale = 0;
  bias = 0;
  /** Float16 holds `scale` and `bias`. */
  inHalf = true;
  /** Level that means zero in a symmetric block. */
  readonly zero: number;
  readonly #maxQ: number;
  readonly #tried: Uint8Array;
  #w: Floats = new Float64Array(0);
  #error = 0;

  /** @param length most weights of a block */
  constructor(
    readonly bits: number,
    length: number,
  ) {
    this.q = new Uint8Array(length);
    this.#tried = new Uint8Array(length);
    this.zero = 2 ** (bits - 1);
    this.#maxQ = 2 ** bits - 1;
  }

  /** Chooses scale and q for w = scale * (q - 2^(bits-1)). */
  fitSymmetric(w: Floats): void {
    this.#begin(w);
    let extreme = 0;
    for (const value of w) if (Math.abs(value) > Math.abs(extreme)) extreme = value;
    if (extreme === 0 || this.bits === 8) {
      this.#trySymmetric(Math.abs(extreme) / (this.zero - 1));
      return;
    }
    const levels = this.bits > FEW_LEVELS_BITS ? SYMMETRIC_LEVELS : FEW_SYMMETRIC_LEVELS;
    for (const level of levels) {
      this.#trySymmetric(extreme / (level * (level < 0 ? this.zero / 8 : (this.zero - 1) / 7)));
      this.#refitSymmetric();
    }
  }

  /** Chooses scale, bias and q for w = scale * q + bias. */
  fitAffine(w: Floats): void {
    this.#begin(w);
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const value of w) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    this.#tryRange(low, high);
    if (low > 0 || high < 0) this.#tryRange(Math.min(low, 0), Math.max(high, 0));
    if (this.bits === 8) return;
    this.#refitAffine();
    const parts = this.bits > FEW_LEVELS_BITS ? RANGE_PARTS : FEW_RANGE_PARTS;
    for (const part of parts) {
      const cut = (high - low) * (1 - part);
      this.#tryRange(low + cut / 2, high - cut / 2);
      this.#refitAffine();
      this.#tryRange(low + cut, high);
      this.#refitAffine();
      this.#tryRange(low, high - cut);
      this.#refitAffine();
    }
  }

  #begin(w: Floats): void {
    this.#w = w;
    this.#error = Number.POSITIVE_INFINITY;
  }

  #trySymmetric(scale: number): void {
    const inHalf = holdsInHalf(scale);
    const stored = inHalf ? roundToHalf(scale) : Math.fround(scale);
    this.#try(stored, -this.zero * stored, inHalf);
  }

  #tryRange(low: number, high: number): void {
    this.#tryAffine((high - low) / this.#maxQ, low);
  }

  #tryAffine(scale: number, bias: number): void {
    // A bias may lose what is little beside one step.
    const biasInHalf =
      holdsInHalf(bias) || Math.abs(roundToHalf(bias) - bias) <= Math.abs(scale) / 64;
    const inHalf = holdsInHalf(scale) && biasInHalf;
    const round = inHalf ? roundToHalf : Math.fround;
    this.#try(round(scale), round(bias), inHalf);
  }

  /** Rounds every weight to the line scale * q + bias and keeps the result if it is the best so far. */
  #try(scale: number, bias: number, inHalf: boolean): void {
    const w = this.#w;
    const q = this.#tried;
    const maxQ = this.#maxQ;
    const inverse = scale === 0 ? 0 : 1 / scale;
    const rest = scale === 0 ? this.zero : 0;
    let error = 0;
    for (let i = 0; i < w.length; i++) {
      const value = w[i] as number;
      let level = Math.floor((value - bias) * inverse + 0.5) + rest;
      if (level < 0) level = 0;
      else if (level > maxQ) level = maxQ;
      q[i] = level;
      const miss = scale * level + bias - value;
      error += miss * miss;
    }
    if (error >= this.#error) return;
    this.#error = error;
    this.scale = scale;
    this.bias = bias;
    this.inHalf = inHalf;
    this.q.set(q);
  }

  /** Tries the least-squares scale for the levels tried last. */
  #refitSymmetric(): void {
    const w = this.#w;
    const q = this.#tried;
    let wq = 0;
    let qq = 0;
    for (let i = 0; i < w.length; i++) {
      const level = (q[i] as number) - this.zero;
      wq += level * (w[i] as number);
      qq += level * level;
    }
    if (qq > 0) this.#trySymmetric(wq / qq);
  }

  /** Tries the least-squares scale and bias for the levels tried last. */
  #refitAffine(): void {
    const w = this.#w;
    const q = this.#tried;
    let sumW = 0;
    let sumQ = 0;
    let wq = 0;
    let qq = 0;
    for (let i = 0; i < w.length; i++) {
      const level = q[i] as number;
      const value = w[i] as number;
      sumW += value;
      sumQ += level;
      wq += level * value;
      qq += level * level;
    }
    const spread = w.length * qq - sumQ * sumQ;
    if (spread <= 0) return;
    const scale = (w.length * wq - sumQ * sumW) / spread;
    this.#tryAffine(scale, (sumW - scale * sumQ) / w.length);
  }
}
