// Adds up traced steps: where the time of a prefill step and of a decode step goes, by kind of op.

import { gbPerSecond, type StepTrace } from './step_trace.js';

/** All ops of one kind, in an average step. */
export interface KindSummary {
  /** As in `OpTrace`. */
  readonly kind: string;
  readonly count: number;
  readonly ms: number;
  /** Of the step's time, 0..1. */
  readonly share: number;
  readonly bytes: number;
  /** Null if the clock did not advance. */
  readonly gbPerSecond: number | null;
}

/** Steps of one phase. */
export interface PhaseSummary {
  readonly phase: StepTrace['phase'];
  readonly steps: number;
  /** Of all steps together. */
  readonly rows: number;
  readonly firstPosition: number;
  readonly lastPosition: number;
  readonly threads: number;
  /** Of an average step. */
  readonly ms: number;
  /** Longest first. */
  readonly kinds: readonly KindSummary[];
}

interface Sums {
  steps: number;
  rows: number;
  first: number;
  last: number;
  readonly threads: number;
  ms: number;
  readonly kinds: Map<string, { count: number; ms: number; bytes: number }>;
}

/** Keeps sums, no steps: `loadModel(location, { onTrace: (step) => summary.add(step) })`. */
export class TraceSummary {
  readonly #phases = new Map<StepTrace['phase'], Sums>();

  add({ phase, positions, threads, ms, ops }: StepTrace): void {
    const sums = this.#phases.get(phase) ?? noSums(threads);
    this.#phases.set(phase, sums);
    sums.steps++;
    sums.rows += positions.length;
    sums.first = Math.min(sums.first, ...positions);
    sums.last = Math.max(sums.last, ...positions);
    sums.ms += ms;
    for (const { kind, ms, bytes } of ops) {
      const sum = sums.kinds.get(kind) ?? { count: 0, ms: 0, bytes: 0 };
      sums.kinds.set(kind, {
        count: sum.count + 1,
        ms: sum.ms + ms,
        bytes: sum.bytes + bytes,
      });
    }
  }

  /** What was added so far, by phase. */
  phases(): PhaseSummary[] {
    return [...this.#phases].map(([phase, sums]) => {
      const { steps, rows, first, last, threads, ms } = sums;
      const kinds = [...sums.kinds].map(([kind, sum]) => ({
        kind,
        count: sum.count / steps,
        ms: sum.ms / steps,
        share: ms > 0 ? sum.ms / ms : 0,
        bytes: sum.bytes / steps,
        gbPerSecond: gbPerSecond(sum.bytes, sum.ms),
      }));
      kinds.sort((a, b) => b.ms - a.ms);
      const range = { firstPosition: first, lastPosition: last };
      return { phase, steps, rows, ...range, threads, ms: ms / steps, kinds };
    });
  }

  /** A table for each phase, as text; '' if nothing was added. */
  toString(): string {
    return this.phases().map(phaseTable).join('\n\n');
  }
}

function noSums(threads: number): Sums {
  return { steps: 0, rows: 0, first: Infinity, last: 0, threads, ms: 0, kinds: new Map() };
}

function phaseTable(summary: PhaseSummary): string {
  const { phase, steps, rows, firstPosition, lastPosition, threads, ms, kinds } = summary;
  const title =
    `${phase}: ${counted(steps, 'step')}, ${counted(rows, 'row')}, ` +
    `positions ${firstPosition}..${lastPosition}, ${counted(threads, 'thread')}; means of a step`;
  const count = kinds.reduce((sum, kind) => sum + kind.count, 0);
  const bytes = kinds.reduce((sum, kind) => sum + kind.bytes, 0);
  const share = ms > 0 ? 1 : 0;
  const step = { kind: 'step', count, ms, share, bytes, gbPerSecond: gbPerSecond(bytes, ms) };
  const lines = [['op', 'count', 'ms', 'share', 'MB', 'GB/s'], ...[...kinds, step].map(cells)];
  return [title, ...lines.map(alignedLine)].join('\n');
}

function cells({ kind, count, ms, share, bytes, gbPerSecond }: KindSummary): string[] {
  return [
    kind,
    count.toFixed(0),
    ms.toFixed(3),
    `${(share * 100).toFixed(1)} %`,
    (bytes / 1e6).toFixed(3),
    gbPerSecond?.toFixed(2) ?? '',
  ];
}

function alignedLine([name = '', ...numbers]: string[]): string {
  return name.padEnd(16) + numbers.map((number) => number.padStart(11)).join('');
}

function counted(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`;
}
