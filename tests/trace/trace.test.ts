// Steps as Chrome's Trace Event format and as a table.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { chromeTrace } from '../../bindings/trace/chrome_trace.js';
import type { OpTrace, StepTrace } from '../../bindings/trace/step_trace.js';
import { TraceSummary } from '../../bindings/trace/trace_summary.js';

type Timed = readonly [kind: string, ms: number, bytes: number];

/** A step at `startMs` whose ops follow one another. */
function step(startMs: number, positions: number[], timed: readonly Timed[]): StepTrace {
  let at = startMs;
  const ops = timed.map(([kind, ms, bytes]): OpTrace => {
    const op = { kind, name: `${kind} w`, m: positions.length, n: 4, k: 8, format: 'int4' };
    const startMs = at;
    at += ms;
    return { ...op, startMs, ms, bytes };
  });
  const phase = positions.length === 1 ? 'decode' : 'prefill';
  return { phase, positions, logitRows: 1, threads: 2, startMs, ms: at - startMs, ops };
}

const STEPS = [
  step(
    10,
    [0, 1, 2],
    [
      ['matmul', 3, 6e6],
      ['add', 1, 1e6],
    ],
  ),
  step(
    20,
    [3],
    [
      ['matmul', 1, 2e6],
      ['sdpa', 1, 3e6],
      ['matmul', 2, 4e6],
    ],
  ),
  step(
    30,
    [4],
    [
      ['matmul', 1, 2e6],
      ['sdpa', 3, 5e6],
      ['matmul', 2, 4e6],
    ],
  ),
];

test('an event for each step, and in it one for each op', () => {
  const { traceEvents } = JSON.parse(JSON.stringify(chromeTrace(STEPS)));
  const [process, thread, first, matmul, add, second] = traceEvents;
  assert.equal([process.ph, process.args], ['M', { name: 'halfbyte' }]);
  assert.equal([thread.ph, thread.args.threads], ['M', 2]);
  assert.equal(first, {
    name: 'prefill',
    cat: 'step',
    ph: 'X',
    pid: 1,
    tid: 1,
    ts: 10_000,
    dur: 4000,
    args: { rows: 3, logitRows: 1, firstPosition: 0, lastPosition: 2, threads: 2 },
  });
  assert.equal(matmul, {
    name: 'matmul w',
    cat: 'op',
    ph: 'X',
    pid: 1,
    tid: 1,
    ts: 10_000,
    dur: 3000,
    args: { kind: 'matmul', m: 3, n: 4, k: 8, format: 'int4', bytes: 6e6, gbPerSecond: 2 },
  });
  assert.equal([add.ts, add.dur], [13_000, 1000]);
  assert.equal([second.name, second.args.firstPosition, second.ts], ['decode', 3, 20_000]);
  assert.is(traceEvents.length, 2 + 3 + 2 + 3 + 3);
});

test('no op ends after its step, however times are rounded', () => {
  const odd = step(
    1 / 3,
    [7],
    Array.from({ length: 50 }, () => ['add', 1 / 7, 8] as const),
  );
  const [, , outer, ...ops] = chromeTrace([odd]).traceEvents;
  const end = (event: { ts?: number; dur?: number }) => Math.round((event.ts! + event.dur!) * 1000);
  assert.ok(ops.every((op) => end(op) <= end(outer!)));
  assert.is(end(ops.at(-1)!), end(outer!));
});

test('the sums of a phase, for an average step', () => {
  const summary = new TraceSummary();
  for (const one of STEPS) summary.add(one);
  const [prefill, decode] = summary.phases();
  assert.equal([prefill?.phase, prefill?.steps, prefill?.rows], ['prefill', 1, 3]);
  assert.equal(decode, {
    phase: 'decode',
    steps: 2,
    rows: 2,
    firstPosition: 3,
    lastPosition: 4,
    threads: 2,
    ms: 5,
    kinds: [
      { kind: 'matmul', count: 2, ms: 3, share: 0.6, bytes: 6e6, gbPerSecond: 2 },
      { kind: 'sdpa', count: 1, ms: 2, share: 0.4, bytes: 4e6, gbPerSecond: 2 },
    ],
  });
});

test('a table for each phase', () => {
  const summary = new TraceSummary();
  assert.is(String(summary), '');
  for (const one of STEPS) summary.add(one);
  const [prefill, decode] = String(summary).split('\n\n');
  assert.match(prefill ?? '', /^prefill: 1 step, 3 rows, positions 0\.\.2, 2 threads/);
  const lines = decode?.split('\n') ?? [];
  assert.match(lines[0] ?? '', /^decode: 2 steps, 2 rows, positions 3\.\.4/);
  const words = lines.slice(1).map((line) => line.split(/\s+/));
  assert.equal(words, [
    ['op', 'count', 'ms', 'share', 'MB', 'GB/s'],
    ['matmul', '2', '3.000', '60.0', '%', '6.000', '2.00'],
    ['sdpa', '1', '2.000', '40.0', '%', '4.000', '2.00'],
    ['step', '3', '5.000', '100.0', '%', '10.000', '2.00'],
  ]);
  assert.is(new Set(lines.slice(1).map((line) => line.length)).size, 1, 'aligned');
});

test('a clock that stands still: no rate, no share', () => {
  const summary = new TraceSummary();
  const still = step(5, [0], [['add', 0, 8]]);
  summary.add(still);
  const [decode] = summary.phases();
  assert.equal([decode?.kinds[0]?.share, decode?.kinds[0]?.gbPerSecond], [0, null]);
  assert.is(chromeTrace([still]).traceEvents.at(-1)?.args['gbPerSecond'], null);
  assert.not.match(String(summary), /NaN|Infinity/);
});

test.run();
