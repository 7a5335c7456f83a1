// What a child tells whoever started it: one JSON object a line, written at once, so that a case that never ends is
// known by name.

import { writeSync } from 'node:fs';
import type { Seen, Verdict } from './verdict.js';

/** The file descriptor of a child for its lines. */
export const LINES_FD = 3;

export interface Found extends Seen {
  readonly kind: string;
  /** Findings of one fault have the same. */
  readonly shape: string;
  /** Names of the damages, and those without which it does not happen, as indices. */
  readonly damages: readonly string[];
  readonly needed: readonly number[];
  /** The input, as far as it can be shown. */
  readonly input: string;
}

/** `cpu` is that of the child so far, in seconds. */
export interface Begin {
  readonly begin: number;
  readonly kind: string;
  readonly damages: readonly string[];
  readonly cpu: number;
  /** Of a case that is run alone: it may be the last that is heard of it. */
  readonly input?: string | undefined;
}

export type Line =
  | Begin
  | { readonly end: number; readonly kind: string; readonly verdict: Verdict; readonly cpu: number }
  | { readonly end: number; readonly kind: string; readonly found: Found; readonly cpu: number }
  /** Of a finding already told: which damages it needs. */
  | { readonly smaller: number; readonly found: Found; readonly cpu: number };

export function tell(line: Line): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  let at = 0;
  while (at < bytes.length) {
    try {
      at += writeSync(LINES_FD, bytes, at);
    } catch (error) {
      // The reader is behind.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
