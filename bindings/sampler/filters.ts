// Which tokens may be drawn: topK, then topP of what topK left, then minP. Probabilities are only added,
// multiplied and compared, so every runtime keeps the same tokens.

export interface FilterOptions {
  /** 0: no limit. */
  readonly topK: number;
  /** 1: no limit. */
  readonly topP: number;
  /** 0: no limit. */
  readonly minP: number;
}

/** Tokens by falling probability, equal ones by rising id, and the sum of their probabilities. */
export interface Kept {
  readonly ids: readonly number[];
  readonly mass: number;
}

/**
 * Applies the filters to probabilities [vocabSize]. At least one token is kept.
 * @returns null if the options keep every token
 */
export function filterTokens(probabilities: Float32Array, options: FilterOptions): Kept | null {
  const { topK, topP, minP } = options;
  const limitsK = topK > 0 && topK < probabilities.length;
  if (!limitsK && topP >= 1 && minP <= 0) return null;
  let floor = 0;
  if (minP > 0) {
    for (const p of probabilities) if (p > floor) floor = p;
    floor *= minP;
  }
  const most = limitsK ? topK : probabilities.length;
  // What topP is a share of: the mass that topK leaves. Without topK that is everything, known beforehand.
  const all = limitsK ? null : share(topP, sum(probabilities));
  const ids = descending(probabilities, (sorted, threshold) => {
    if (sorted.length >= most || threshold <= floor) return true;
    return all !== null && massOf(probabilities, sorted) >= all;
  }).slice(0, most);
  return cut(probabilities, ids, all ?? share(topP, massOf(probabilities, ids)), floor);
}

/** topP 1 is no limit, although the mass may seem to be reached before the last tokens by rounding. */
function share(topP: number, mass: number): number {
  return topP < 1 ? topP * mass : Number.POSITIVE_INFINITY;
}

/** The shortest prefix of `ids` that reaches `wanted`, ended early by a probability below `floor`. */
function cut(probabilities: Float32Array, ids: number[], wanted: number, floor: number): Kept {
  let mass = 0;
  let count = 0;
  while (count < ids.length && (count === 0 || mass < wanted)) {
    const p = probabilities[ids[count]!]!;
    if (count > 0 && p < floor) break;
    mass += p;
    count++;
  }
  return { ids: ids.slice(0, count), mass };
}

/** Each round looks at tokens this much less probable than the one before. */
const FALL = 1 / 64;

/**
 * A prefix of all tokens by falling probability, long enough for `enough` or whole. Sorting a vocabulary for
 * the few tokens that carry most of the mass would take longer than a small model's step, so only tokens
 * from a falling threshold on are gathered and sorted; the threshold does not change the result.
 */
function descending(
  probabilities: Float32Array,
  enough: (ids: number[], threshold: number) => boolean,
): number[] {
  let largest = 0;
  for (const p of probabilities) if (p > largest) largest = p;
  for (let threshold = largest * FALL; ; threshold *= FALL) {
    const ids: number[] = [];
    // Below the smallest normal float32 nothing is gained by another round.
    const last = threshold < 2 ** -126;
    for (let id = 0; id < probabilities.length; id++) {
      if (last || probabilities[id]! >= threshold) ids.push(id);
    }
    ids.sort((a, b) => probabilities[b]! - probabilities[a]! || a - b);
    if (last || enough(ids, threshold)) return ids;
  }
}

/** Sum over all tokens in ascending order of id, in float64. */
export function sum(probabilities: Float32Array): number {
  let total = 0;
  for (const p of probabilities) total += p;
  return total;
}

function massOf(probabilities: Float32Array, ids: readonly number[]): number {
  let total = 0;
  for (const id of ids) total += probabilities[id]!;
  return total;
}
