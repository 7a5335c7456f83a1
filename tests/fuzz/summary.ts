// The summary of a run, for people and for docs/fuzzing.md.

import type { Findings, Kept } from './findings.js';

const LONGEST_LINE = 160;

export interface SummaryOptions {
  readonly seed: number;
  /** Processor seconds of the children. */
  readonly cpu: number;
  /** The call that runs a case again. */
  readonly again: (kept: Kept) => string;
  /** Stacks and inputs too: of one case. */
  readonly details: boolean;
}

export function printSummary(
  findings: Findings,
  { seed, cpu, again, details }: SummaryOptions,
): void {
  const row = (kind: string, numbers: readonly (number | string)[]) =>
    print(`${kind.padEnd(14)}${numbers.map((number) => String(number).padStart(10)).join('')}`);
  row('kind', ['cases', 'accepted', 'refused', 'findings']);
  const tallies = [...findings.tallies].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [kind, tally] of [...tallies, ['all', findings.total] as const]) {
    row(kind, [tally.cases, tally.accepted, tally.refused, tally.findings]);
  }
  print(`${runtime()}, seed ${seed}, ${(cpu / 60).toFixed(1)} CPU minutes`);
  for (const kept of findings.kept) {
    const { found, count } = kept;
    const { kind, what, message, damages, needed, stack, input } = found;
    const names = needed.map((i) => damages[i]).join('; ');
    print(`\n${count} x ${kind}, ${what}: ${oneLine(message)}`);
    print(`  ${names === '' ? 'no damage' : names}`);
    print(`  ${again(kept)}`);
    if (details) print(`${stack}\n${input}`);
  }
}

function runtime(): string {
  const versions: Readonly<Record<string, string | undefined>> = process.versions;
  return `Node ${versions['node']} (V8 ${versions['v8']})`;
}

/** Names of a stranger's file may hold what moves a terminal's cursor. */
function oneLine(message: string): string {
  const plain = message.replace(/[^\x20-\x7e]+/g, (text) => JSON.stringify(text).slice(1, -1));
  const safe = plain.replace(/[^\x20-\x7e]+/g, '?');
  return safe.length > LONGEST_LINE ? `${safe.slice(0, LONGEST_LINE)}...` : safe;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
