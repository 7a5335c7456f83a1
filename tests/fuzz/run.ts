// Runs cases in children side by side, until all are done or the processor time is spent.

import type { Found } from './lines.js';
import { type ChildOptions, runChild } from './run_child.js';
import { makeScratch } from './scratch.js';
import type { Verdict } from './verdict.js';

export interface RunOptions extends ChildOptions {
  /** Most processor seconds of all children. */
  readonly cpuSeconds: number;
  /** Aborting ends the run as if its time were spent. */
  readonly signal?: AbortSignal | undefined;
}

export interface RunEvents {
  onEnd(number: number, kind: string, outcome: Verdict | Found): void;
  /** A finding again, with fewer damages. */
  onSmaller(number: number, found: Found): void;
  /** Processor seconds of all children so far. */
  onCpu(seconds: number): void;
}

/** Then a fresh process: a fault of one case must not reach all that follow. */
const CASES_PER_CHILD = 2000;

/** Every `processes`-th case from `from` on is run by the same lane of children. */
export async function runCases(options: RunOptions, events: RunEvents): Promise<void> {
  const run = new Run(options, events);
  const lanes = Array.from({ length: options.processes }, (_, lane) => run.lane(lane));
  await Promise.all(lanes).finally(() => run.end());
}

class Run {
  readonly #options: RunOptions;
  readonly #events: RunEvents;
  readonly #scratch = makeScratch();
  #spent = 0;

  constructor(options: RunOptions, events: RunEvents) {
    this.#options = options;
    this.#events = events;
  }

  async lane(lane: number): Promise<void> {
    const { from, cases, processes } = this.#options;
    const end = from + cases;
    let at = from + lane;
    while (at < end && !this.#isSpent()) {
      const count = Math.min(CASES_PER_CHILD, Math.ceil((end - at) / processes));
      const { next, killed } = await this.#child({ from: at, cases: count }, this.#events);
      at = next;
      if (killed === null) continue;
      const { number, found } = killed;
      this.#events.onEnd(number, found.kind, await this.#shrink(number, found));
    }
  }

  end(): void {
    this.#scratch.remove();
  }

  /** What a child did not live to find out: which damages its end needs. */
  async #shrink(number: number, found: Found): Promise<Found> {
    let { needed, input } = found;
    const ends = async (indices: readonly number[]) => {
      const silent = { onEnd: () => {}, onSmaller: () => {} };
      const one = { from: number, cases: 1, only: indices.join() };
      const { killed } = await this.#child(one, silent);
      if (killed?.found.what !== found.what) return false;
      ({ input } = killed.found);
      return true;
    };
    if (this.#options.only !== undefined) return found;
    if (!(await ends(needed))) return named({ ...found, message: `${found.message}, not alone` });
    for (const left of needed) {
      const fewer = needed.filter((index) => index !== left);
      if (await ends(fewer)) needed = fewer;
    }
    return named({ ...found, needed, input });
  }

  #child(part: Partial<ChildOptions>, events: Pick<RunEvents, 'onEnd' | 'onSmaller'>) {
    return runChild({ ...this.#options, ...part }, this.#scratch.env, {
      ...events,
      onCpu: (seconds) => {
        this.#spent += seconds;
        this.#events.onCpu(this.#spent);
      },
      isSpent: () => this.#isSpent(),
    });
  }

  #isSpent(): boolean {
    const { cpuSeconds, signal } = this.#options;
    return this.#spent >= cpuSeconds || signal?.aborted === true;
  }
}

/** There is no stack to tell one end from another; the damages must do. */
function named(found: Found): Found {
  const names = found.needed.map((index) => found.damages[index]);
  return { ...found, shape: `${found.shape} ${names.sort().join(', ')}` };
}
