// Steps as Chrome's Trace Event format, which chrome://tracing and Perfetto open: an event for each step, and in
// it one for each op.
// see: "Trace Event Format", docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU

import { gbPerSecond, type OpTrace, type StepTrace } from './step_trace.js';

/** A complete event (`X`), or metadata (`M`). Times are microseconds. */
export interface ChromeEvent {
  readonly name: string;
  readonly ph: 'X' | 'M';
  readonly pid: number;
  readonly tid: number;
  readonly cat?: string;
  readonly ts?: number;
  readonly dur?: number;
  readonly args: Readonly<Record<string, unknown>>;
}

export interface ChromeTrace {
  readonly displayTimeUnit: 'ms';
  readonly traceEvents: readonly ChromeEvent[];
}

const ROW = { pid: 1, tid: 1 } as const;

/** The whole trace of some steps of one model, ready for `JSON.stringify`. */
export function chromeTrace(steps: readonly StepTrace[]): ChromeTrace {
  const head = steps.slice(0, 1).flatMap(headEvents);
  return { displayTimeUnit: 'ms', traceEvents: [...head, ...steps.flatMap(stepEvents)] };
}

/** The names of the process and of its row, by any step of the trace. */
export function headEvents({ threads }: StepTrace): ChromeEvent[] {
  const steps = `steps, ${threads} ${threads === 1 ? 'thread' : 'threads'}`;
  return [
    { name: 'process_name', ph: 'M', ...ROW, args: { name: 'halfbyte' } },
    { name: 'thread_name', ph: 'M', ...ROW, args: { name: steps, threads } },
  ];
}

/** The step, then its ops. */
export function stepEvents(step: StepTrace): ChromeEvent[] {
  const { phase, positions, logitRows, threads } = step;
  const args = {
    rows: positions.length,
    logitRows,
    firstPosition: Math.min(...positions),
    lastPosition: Math.max(...positions),
    threads,
  };
  return [{ name: phase, cat: 'step', ...ROW, ...span(step), args }, ...step.ops.map(opEvent)];
}

function opEvent(op: OpTrace): ChromeEvent {
  const { kind, name, m, n, k, format, bytes, ms } = op;
  const args = { kind, m, n, k, format, bytes, gbPerSecond: gbPerSecond(bytes, ms) };
  return { name, cat: 'op', ...ROW, ...span(op), args };
}

/** Begin and end in whole nanoseconds, so that rounding never lets an op end after its step. */
function span({ startMs, ms }: { startMs: number; ms: number }) {
  const begin = Math.round(startMs * 1e6);
  const end = Math.round((startMs + ms) * 1e6);
  return { ph: 'X' as const, ts: begin / 1e3, dur: (end - begin) / 1e3 };
}
