// Seeded test data. The generator works on integers, so every runtime draws the same numbers.

/** Uniform numbers from a 32-bit seed (splitmix32). */
export class TestRandom {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0;
    let z = this.#state;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    return (z ^ (z >>> 15)) >>> 0;
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor((this.uint32() / 2 ** 32) * limit);
  }

  /** A number in [low, high). */
  between(low: number, high: number): number {
    return low + (this.uint32() / 2 ** 32) * (high - low);
  }

  /** Roughly normal, mean 0, deviation 1: a sum of twelve uniforms, at most 6 away. */
  normal(): number {
    let sum = -6;
    for (let i = 0; i < 12; i++) sum += this.uint32() / 2 ** 32;
    return sum;
  }
}

/** What a row of hostile float32 input may look like. */
export const HOSTILE_ROWS = ['normal', 'zeros', 'equal', 'huge', 'tiny', 'spike', 'ramp'] as const;
export type HostileRow = (typeof HOSTILE_ROWS)[number];

/** One row of `length` float32 values of that kind. */
export function hostileRow(kind: HostileRow, length: number, random: TestRandom): Float32Array {
  const row = new Float32Array(length);
  const equal = random.normal();
  const spike = random.below(length);
  for (let i = 0; i < length; i++) {
    const value = random.normal();
    if (kind === 'normal') row[i] = value;
    else if (kind === 'zeros') row[i] = i % 2 === 0 ? 0 : -0;
    else if (kind === 'equal') row[i] = equal;
    else if (kind === 'huge') row[i] = value * 1e15;
    // Half of these are subnormal.
    else if (kind === 'tiny') row[i] = value * 1e-38;
    else if (kind === 'spike') row[i] = i === spike ? -3e6 : value * 1e-3;
    else row[i] = i - length / 2;
  }
  return row;
}

/** Rows [rows, k] that take the kinds of hostile row in turn. */
export function hostileRows(rows: number, k: number, random: TestRandom): Float32Array {
  const out = new Float32Array(rows * k);
  for (let row = 0; row < rows; row++) {
    const kind = HOSTILE_ROWS[row % HOSTILE_ROWS.length]!;
    out.set(hostileRow(kind, k, random), row * k);
  }
  return out;
}

/** Normal float32 values. */
export function normals(length: number, random: TestRandom, scale = 1): Float32Array {
  return Float32Array.from({ length }, () => random.normal() * scale);
}

/** Every combination of the listed values: product({ n: [1, 3], k: [32] }) is two cases. */
export function product<T extends Record<string, readonly unknown[]>>(
  lists: T,
): { [K in keyof T]: T[K][number] }[] {
  let cases: Record<string, unknown>[] = [{}];
  for (const [key, values] of Object.entries(lists)) {
    cases = cases.flatMap((one) => values.map((value) => ({ ...one, [key]: value })));
  }
  return cases as { [K in keyof T]: T[K][number] }[];
}

/** The case as a test name: `n=3 k=32`. */
export function caseName(one: Readonly<Record<string, unknown>>): string {
  return Object.entries(one)
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
}
