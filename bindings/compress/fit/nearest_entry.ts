// The entry of a table that is nearest to a point of one dimension or several.

/** Entries by their first coordinate: from that of the point on, outward, until the rest is too far. */
export class NearestEntry {
  readonly #entries: ArrayLike<number>;
  readonly #dim: number;
  /** Indices of different entries, ascending by first coordinate. */
  readonly #order: Uint16Array;
  readonly #firsts: Float64Array;

  /** @param entries [count, dim] */
  constructor(entries: ArrayLike<number>, dim: number) {
    this.#entries = entries;
    this.#dim = dim;
    const seen = new Set<string>();
    const different: number[] = [];
    for (let i = 0; i * dim < entries.length; i++) {
      const text = Array.from({ length: dim }, (_, d) => entries[i * dim + d]! + 0).join();
      if (!seen.has(text)) different.push(i);
      seen.add(text);
    }
    const first = (i: number) => entries[i * dim]!;
    this.#order = Uint16Array.from(different.sort((a, b) => first(a) - first(b) || a - b));
    this.#firsts = Float64Array.from(this.#order, first);
  }

  /** Of the entry nearest to the point that lies at `at`, the lowest of equals. */
  indexOf(points: ArrayLike<number>, at: number): number {
    const firsts = this.#firsts;
    const x = points[at]!;
    let above = 0;
    for (let size = firsts.length; size > 0; ) {
      const half = size >> 1;
      if (firsts[above + half]! < x) {
        above += half + 1;
        size -= half + 1;
      } else {
        size = half;
      }
    }
    let below = above - 1;
    let nearest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (;;) {
      const down = below >= 0 ? x - firsts[below]! : Number.POSITIVE_INFINITY;
      const up = above < firsts.length ? firsts[above]! - x : Number.POSITIVE_INFINITY;
      const gap = Math.min(down, up);
      if (gap === Number.POSITIVE_INFINITY || gap * gap > least) return nearest;
      const index = this.#order[down <= up ? below-- : above++]!;
      const error = this.#error(points, at, index);
      if (error > least || (error === least && index > nearest)) continue;
      least = error;
      nearest = index;
    }
  }

  #error(points: ArrayLike<number>, at: number, index: number): number {
    let error = 0;
    for (let d = 0; d < this.#dim; d++) {
      const miss = points[at + d]! - this.#entries[index * this.#dim + d]!;
      error += miss * miss;
    }
    return error;
  }
}
