// Pearson's chi-square: do counts follow probabilities?

/** Classes expected less often than this are counted together, as the approximation needs. */
const LEAST_EXPECTED = 8;
/** Normal quantile of 1 - 1e-6: one in a million fair seeds would be rejected. */
const QUANTILE = 4.753;

export interface Fit {
  readonly statistic: number;
  /** What a fair sample exceeds once in a million seeds. */
  readonly critical: number;
  readonly fits: boolean;
}

/** Compares how often each class came with its probability; one that cannot come must not. */
export function chiSquare(counts: readonly number[], probabilities: readonly number[]): Fit {
  const total = counts.reduce((a, b) => a + b, 0);
  let statistic = 0;
  let classes = 0;
  const rest = { count: 0, expected: 0 };
  const add = (count: number, expected: number) => {
    if (expected > 0) statistic += (count - expected) ** 2 / expected;
    else if (count > 0) statistic = Number.POSITIVE_INFINITY;
    if (expected > 0) classes++;
  };
  for (const [i, count] of counts.entries()) {
    const expected = probabilities[i]! * total;
    if (expected === 0 || expected >= LEAST_EXPECTED) {
      add(count, expected);
    } else {
      rest.count += count;
      rest.expected += expected;
    }
  }
  add(rest.count, rest.expected);
  const critical = criticalValue(Math.max(1, classes - 1));
  return { statistic, critical, fits: statistic <= critical };
}

/** Wilson and Hilferty 1931: the cube root of chi-square / freedom is nearly normal. */
function criticalValue(freedom: number): number {
  const variance = 2 / (9 * freedom);
  return freedom * (1 - variance + QUANTILE * Math.sqrt(variance)) ** 3;
}
