// Medians and quartiles: times on a shared machine have tails that a mean would follow.

export interface Spread {
  readonly median: number;
  readonly firstQuartile: number;
  readonly thirdQuartile: number;
}

/** Quartiles of at least one value, interpolated between neighbours. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const quantile = (part: number) => {
    const at = part * (sorted.length - 1);
    const below = sorted[Math.floor(at)] as number;
    const above = sorted[Math.ceil(at)] as number;
    return below + (above - below) * (at - Math.floor(at));
  };
  return { median: quantile(0.5), firstQuartile: quantile(0.25), thirdQuartile: quantile(0.75) };
}

/** Of a[i] / b[i]: what was measured in the same turn is compared. */
export function ratioOf(a: readonly number[], b: readonly number[]): Spread {
  return spreadOf(a.map((value, i) => value / (b[i] as number)));
}

/** `1.23 (1.20 to 1.25)`: the median and the quartiles around it. */
export function spreadText(spread: Spread, digits: number): string {
  const [median, first, third] = [spread.median, spread.firstQuartile, spread.thirdQuartile].map(
    (value) => value.toFixed(digits),
  );
  return `${median} (${first} to ${third})`;
}
