// Two sets of kernels against each other: short runs of both in turn, in one process, so that whatever slows
// the machine slows both.

import type { KernelSet, Runnable } from './kernel_set.js';
import { ratioOf, type Spread, spreadOf } from './statistics.js';

export interface KernelRatio {
  readonly kernel: string;
  readonly model: string;
  readonly shape: string;
  /** Microseconds of a call, of either. */
  readonly microseconds: readonly [Spread, Spread];
  /** Speed of the second over the first. */
  readonly ratio: Spread;
  /** Of either: GB/s over those of sequential reads in the same turn. */
  readonly ofReadBandwidth: readonly [Spread, Spread];
}

/** Milliseconds of a run: many calls of a fast kernel, far above the timer's resolution. */
const RUN_MS = 8;
const LEAST_ROUNDS = 9;

/**
 * Measures the kernels of the second set that `wanted` takes, for `seconds` each, over the same kernel of the
 * first set, or over `rival` at the same shape. What the first set does not have is left out.
 */
export function kernelRatios(
  [first, second]: readonly [KernelSet, KernelSet],
  wanted: (name: string) => boolean,
  rival: string | undefined,
  seconds: number,
): KernelRatio[] {
  const results: KernelRatio[] = [];
  for (const other of second.cases) {
    const { kernel, model, shape } = other;
    const one = first.cases.find((c) => {
      return c.kernel === (rival ?? kernel) && c.model === model && c.shape === shape;
    });
    if (!one || !wanted(`${kernel} ${model}`)) continue;
    process.stderr.write(`${kernel} ${model}\n`);
    const [a, b, readA, readB] = rounds(
      [first.prepare(one), second.prepare(other), reading(first), reading(second)],
      seconds,
    ) as [number[], number[], number[], number[]];
    results.push({
      kernel,
      model,
      shape,
      microseconds: [micros(a), micros(b)],
      ratio: ratioOf(a, b),
      ofReadBandwidth: [
        ofReads(one.bytes, a, first.readBytes, readA),
        ofReads(other.bytes, b, second.readBytes, readB),
      ],
    });
  }
  return results;
}

/** Seconds of a call of each, round by round; in every other round the two of a pair change places. */
function rounds(calls: readonly Runnable[], seconds: number): number[][] {
  const counts = calls.map(callsPerRun);
  const times = calls.map((): number[] => []);
  const ends = performance.now() + seconds * 1000;
  for (let round = 0; round < LEAST_ROUNDS || performance.now() < ends; round++) {
    const order = calls.map((_, i) => (round % 2 === 1 ? i ^ 1 : i));
    for (const i of order) {
      times[i]?.push(timeOf(calls[i] as Runnable, counts[i] as number));
    }
  }
  return times;
}

function reading(set: KernelSet): Runnable {
  return { run: () => set.read(), repeats: 1 };
}

/** Calls that take RUN_MS; finding it warms the code up. */
function callsPerRun(call: Runnable): number {
  for (let count = 1; ; count *= 2) {
    const ms = timeOf(call, count) * count * call.repeats * 1000;
    if (ms >= RUN_MS / 2) return Math.max(1, Math.round((count * RUN_MS) / ms));
  }
}

/** Seconds that the kernel takes once. */
function timeOf({ run, repeats }: Runnable, count: number): number {
  const started = performance.now();
  for (let i = 0; i < count; i++) run();
  return (performance.now() - started) / 1000 / (count * repeats);
}

function micros(times: readonly number[]): Spread {
  return spreadOf(times.map((seconds) => seconds * 1e6));
}

function ofReads(bytes: number, times: readonly number[], readBytes: number, reads: number[]) {
  return ratioOf(
    times.map((seconds) => bytes / seconds),
    reads.map((seconds) => readBytes / seconds),
  );
}
