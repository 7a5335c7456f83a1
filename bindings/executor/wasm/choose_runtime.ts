// Build and thread count, by what the options ask for, what the runtime can do and which builds there are.

import { hardwareThreads } from '#platform';
import { OptionError } from '../../errors.js';
import type { CoreBuild } from '../../platform/platform.js';
import type { RuntimeInfo, Simd } from '../executor.js';
import { relaxedSimdRefusal, threadsRefusal } from '../features.js';
import { buildRefusal, type CoreOptions } from './core_source.js';

export const MAX_THREADS = 64;

export interface RuntimeWish {
  readonly threads: number | 'auto';
  readonly simd?: 'auto' | Simd | undefined;
  readonly core?: CoreOptions | undefined;
}

/**
 * What to run on, with a reason for everything that was not taken.
 * @throws OptionError for threads out of range, or threads by number or relaxed SIMD where they cannot be had
 */
export function chooseRuntime({ threads, simd = 'auto', core }: RuntimeWish): RuntimeInfo {
  if (
    threads !== 'auto' &&
    !(Number.isInteger(threads) && threads >= 1 && threads <= MAX_THREADS)
  ) {
    throw new OptionError(`[load] threads: expected 'auto' or 1..${MAX_THREADS}, got ${threads}`);
  }
  const refusals: string[] = [];
  const refuse = (reason: string) => void refusals.push(reason);

  const relaxedHere = relaxedSimdRefusal();
  const level = simd === 'baseline' || relaxedHere ? 'simd' : 'relaxed';
  const noThreads = threadsRefusal() ?? buildRefusal(`${level}.shared`, core);
  const wanted = threads === 'auto' ? Math.min(hardwareThreads(), MAX_THREADS) : threads;
  if (noThreads && threads !== 'auto' && threads > 1) {
    const next = "'auto' takes what there is";
    throw new OptionError(`[load] ${threads} threads asked for; ${noThreads}; ${next}`);
  }
  const count = noThreads ? 1 : wanted;
  const noRelaxed =
    relaxedHere ?? buildRefusal(coreBuild({ simd: 'relaxed', threads: count }), core);
  if (simd === 'relaxed' && noRelaxed) throw new OptionError(`[load] ${noRelaxed}`);

  if (noRelaxed) refuse(noRelaxed);
  if (noThreads && threads === 'auto') refuse(noThreads);
  const takesRelaxed = simd !== 'baseline' && !noRelaxed;
  return { device: 'wasm', threads: count, simd: takesRelaxed ? 'relaxed' : 'baseline', refusals };
}

/** The build of the core that runs this. */
export function coreBuild({ simd, threads }: Pick<RuntimeInfo, 'simd' | 'threads'>): CoreBuild {
  const level = simd === 'relaxed' ? 'relaxed' : 'simd';
  return threads > 1 ? `${level}.shared` : level;
}
