// Findings, one of each shape, and the figures of a run.

import { createHash } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Found } from './lines.js';
import type { Verdict } from './verdict.js';

export interface Kept {
  readonly found: Found;
  readonly number: number;
  readonly count: number;
}

export interface Tally {
  cases: number;
  accepted: number;
  refused: number;
  findings: number;
}

export class Findings {
  /** By kind. */
  readonly tallies = new Map<string, Tally>();
  readonly #kept = new Map<string, Kept>();

  add(number: number, kind: string, outcome: Verdict | Found): void {
    const tally = this.tallies.get(kind) ?? { cases: 0, accepted: 0, refused: 0, findings: 0 };
    this.tallies.set(kind, tally);
    tally.cases++;
    if (typeof outcome === 'string') {
      tally[outcome]++;
      return;
    }
    tally.findings++;
    const known = this.#kept.get(outcome.shape);
    this.#kept.set(outcome.shape, {
      number,
      found: outcome,
      ...known,
      count: (known?.count ?? 0) + 1,
    });
  }

  /** The same finding of that case, with fewer damages. */
  replace(number: number, found: Found): void {
    const known = this.#kept.get(found.shape);
    if (known?.number === number) this.#kept.set(found.shape, { ...known, found });
  }

  /** Most frequent first. */
  get kept(): Kept[] {
    return [...this.#kept.values()].sort((a, b) => b.count - a.count);
  }

  get total(): Tally {
    const sum = { cases: 0, accepted: 0, refused: 0, findings: 0 };
    for (const tally of this.tallies.values()) {
      for (const key of Object.keys(sum) as (keyof Tally)[]) sum[key] += tally[key];
    }
    return sum;
  }

  /** A file for each, in place of those of the last run. @param again the call that runs a case again */
  write(folder: string, again: (kept: Kept) => string): void {
    rmSync(folder, { recursive: true, force: true });
    if (this.#kept.size === 0) return;
    mkdirSync(folder, { recursive: true });
    for (const kept of this.kept) {
      const { found, count } = kept;
      const id = createHash('sha256').update(found.shape).digest('hex').slice(0, 8);
      const text = JSON.stringify({ again: again(kept), count, ...found }, null, 2);
      writeFileSync(join(folder, `${found.kind}-${id}.json`), `${text}\n`);
    }
  }
}
