// Places the plan's buffers in one arena, so that buffers which are never alive together share bytes.

import type { Op } from '../../plan/ops.js';

/** Buffers an op reads and the one it writes. `whole`: the old content is gone after the write. */
function uses(op: Op): { reads: string[]; writes: string[]; whole: boolean } {
  switch (op.kind) {
    case 'embed':
    case 'ropeAngles':
      return { reads: [], writes: [op.out], whole: true };
    case 'rmsNorm':
    case 'matmul':
    case 'selectRows':
      return { reads: [op.x], writes: [op.out], whole: true };
    case 'rope':
      return { reads: [op.x, op.angles], writes: [op.x], whole: false };
    case 'kvUpdate':
      return { reads: [op.k, op.v], writes: [], whole: true };
    case 'sdpa':
      return { reads: [op.q], writes: [op.out], whole: true };
    case 'add':
      return { reads: [op.x, op.out], writes: [op.out], whole: false };
    case 'siluMul':
      return { reads: [op.gate, op.up], writes: [op.out], whole: true };
  }
}

/** Ops [first, last] during which a buffer holds something. */
type Interval = { first: number; last: number };

function lifetimes(ops: readonly Op[]): Map<string, Interval[]> {
  const all = new Map<string, Interval[]>();
  ops.forEach((op, i) => {
    const { reads, writes, whole } = uses(op);
    for (const name of reads) {
      const interval = all.get(name)?.at(-1);
      if (!interval)
        throw new Error(`[plan] op ${i} (${op.kind}) reads ${name}, which nothing wrote`);
      interval.last = i;
    }
    for (const name of writes) {
      const intervals = all.get(name) ?? [];
      if (whole) intervals.push({ first: i, last: i });
      all.set(name, intervals);
    }
  });
  return all;
}

function overlap(a: readonly Interval[], b: readonly Interval[]): boolean {
  return a.some((x) => b.some((y) => x.first <= y.last && y.first <= x.last));
}

/**
 * Offsets of all buffers, largest first, each at the lowest place where nothing alive with it lies.
 * @param widths float32 values a row
 */
export function placeBuffers(
  ops: readonly Op[],
  widths: ReadonlyMap<string, number>,
  rows: number,
  logitRows: number,
): { offsets: Map<string, number>; bytes: number } {
  const lives = lifetimes(ops);
  // What only ops after selectRows write holds the logit rows alone.
  const select = ops.findIndex((op) => op.kind === 'selectRows');
  const isLate = (name: string) => select >= 0 && (lives.get(name)?.[0]?.first ?? 0) >= select;
  const size = (name: string) =>
    Math.ceil(((widths.get(name) ?? 0) * 4 * (isLate(name) ? logitRows : rows)) / 64) * 64;

  const offsets = new Map<string, number>();
  let bytes = 0;
  const names = [...lives.keys()].sort((a, b) => size(b) - size(a) || (a < b ? -1 : 1));
  for (const name of names) {
    const rivals = [...offsets.keys()]
      .filter((other) => overlap(lives.get(name) ?? [], lives.get(other) ?? []))
      .map((other) => ({
        from: offsets.get(other) ?? 0,
        to: (offsets.get(other) ?? 0) + size(other),
      }))
      .sort((a, b) => a.from - b.from);
    let at = 0;
    for (const rival of rivals) {
      if (at + size(name) <= rival.from) break;
      at = Math.max(at, rival.to);
    }
    offsets.set(name, at);
    bytes = Math.max(bytes, at + size(name));
  }
  return { offsets, bytes };
}
