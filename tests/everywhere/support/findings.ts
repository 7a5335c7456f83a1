// What the suite finds out besides passed and failed.

export interface Features {
  /** Name and version, as the runtime itself tells. */
  runtime: string;
  simd: 'baseline' | 'relaxed' | 'unknown';
  /** Whether a second thread takes part. */
  threads: boolean;
  refusals: readonly string[];
}

export const findings: {
  readonly features: Features;
  /** SHA-256 of each scheme's logits and tokens, in every build and thread count that there is. */
  readonly hashes: Record<string, string>;
  /** Bytes of the browser around `loaded` bytes of models that were disposed. */
  memory?: { readonly before: number; readonly after: number; readonly loaded: number };
} = { features: { runtime: 'unknown', simd: 'unknown', threads: false, refusals: [] }, hashes: {} };

/** Two where there are threads, once that was found out. */
export function twoThreads(): number {
  return findings.features.threads ? 2 : 1;
}
