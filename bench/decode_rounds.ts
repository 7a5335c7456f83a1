// Rounds of trials, in which every contestant has one turn after another: what changes on the machine from
// minute to minute meets all of them.

import { randomPrompt } from '../bindings/cli/trial.js';
import type { Simd } from '../bindings/index.js';
import { Random } from '../bindings/sampler/random.js';
import { type Contestant, DecodeProcess, type Loaded, type TrialResult } from './decode_process.js';

export interface Sizes {
  readonly promptTokens: number;
  readonly decodeTokens: number;
  /** Tokens that the session holds before the prompt. */
  readonly contextTokens: number;
  readonly trials: number;
}

/** The i-th trials and loads of all contestants were measured in the same round. */
export interface Measured {
  readonly label: string;
  readonly simd: Simd;
  readonly loads: readonly Loaded[];
  readonly trials: readonly TrialResult[];
}

const SEED = 1;

/** Measures loads first, then trials in fresh processes, so that a peak of memory is that of one load. */
export async function measureModel(
  location: string,
  contestants: readonly Contestant[],
  sizes: Sizes,
): Promise<Measured[]> {
  const random = Random.fromSeed(SEED);
  const loads = await withProcesses(location, contestants, (processes) =>
    rounds(processes, sizes.trials, 'loading', (process) => process.load()),
  );
  const trials = await withProcesses(location, contestants, async (processes) => {
    const [vocabSize = 1] = await Promise.all(
      processes.map(async (process) => (await process.load()).vocabSize),
    );
    const held = randomPrompt(random, sizes.contextTokens, vocabSize);
    if (held.length > 0) for (const process of processes) await process.hold(held);
    const prompt = randomPrompt(random, sizes.promptTokens, vocabSize);
    return rounds(processes, sizes.trials, 'measuring', (process) =>
      process.trial(prompt, sizes.decodeTokens),
    );
  });
  return contestants.map(({ label }, i) => {
    const [own, ownTrials] = [loads[i] as Loaded[], trials[i] as TrialResult[]];
    return { label, simd: own[0]?.simd ?? 'baseline', loads: own, trials: ownTrials };
  });
}

async function withProcesses<T>(
  location: string,
  contestants: readonly Contestant[],
  use: (processes: readonly DecodeProcess[]) => Promise<T>,
): Promise<T> {
  const processes = contestants.map((contestant) => new DecodeProcess(contestant, location));
  try {
    return await use(processes);
  } finally {
    await Promise.all(processes.map((process) => process.end()));
  }
}

/** `count` rounds after one to warm up; who comes first changes from round to round. @returns by process */
async function rounds<T>(
  processes: readonly DecodeProcess[],
  count: number,
  what: string,
  measure: (process: DecodeProcess) => Promise<T>,
): Promise<T[][]> {
  const results = processes.map((): T[] => []);
  for (let round = 0; round <= count; round++) {
    process.stderr.write(`${what} ${round}/${count}\n`);
    const order = processes.map((_, i) => i);
    if (round % 2 === 1) order.reverse();
    for (const i of order) {
      const result = await measure(processes[i] as DecodeProcess);
      if (round > 0) (results[i] as T[]).push(result);
    }
  }
  return results;
}
