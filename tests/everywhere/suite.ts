// The whole suite as one function: the same file runs in every runtime.

import './load.js';
import './sources.js';
import './sessions.js';
import './generating.js';
import './tracing.js';
import './damage.js';
import './bits.js';
import './page.js';
import { cases, type Failure, runCases } from './support/collect.js';
import { type Features, findings } from './support/findings.js';
import { sha256 } from './support/fixtures.js';

export interface Report {
  readonly passed: number;
  readonly failed: number;
  /** One SHA-256 over those of all schemes. */
  readonly hash: string;
  readonly hashes: Readonly<Record<string, string>>;
  readonly features: Features;
  readonly memory: typeof findings.memory;
  readonly failures: readonly Failure[];
  readonly ms: number;
}

/** @param onCase called before each test, for whoever wants to see where it hangs */
export async function runSuite(onCase?: (name: string) => void): Promise<Report> {
  const started = Date.now();
  const failures = await runCases(onCase);
  const { hashes, features, memory } = findings;
  const all = Object.entries(hashes).map(([scheme, hash]) => `${scheme} ${hash}\n`);
  return {
    passed: cases.length - failures.length,
    failed: failures.length,
    hash: await sha256(new TextEncoder().encode(all.join(''))),
    hashes,
    features,
    memory,
    failures,
    ms: Date.now() - started,
  };
}
