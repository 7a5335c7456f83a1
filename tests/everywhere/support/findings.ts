// What the suite finds out besides passed and failed.

export interface Features {
  simd: 'baseline' | 'relaxed' | 'unknown';
  /** Whether a second thread takes part. */
  threads: boolean;
  refusals: readonly string[];
}

export const findings: {
  readonly features: Features;
  /** SHA-256 of each scheme's logits and tokens, in every build and thread count that there is. */
  readonly hashes: Record<string, string>;
} = { features: { simd: 'unknown', threads: false, refusals: [] }, hashes: {} };
