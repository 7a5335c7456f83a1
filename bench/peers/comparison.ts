// Comparisons of whole models: halfbyte and its peers take turns, trial by trial, so that what slows the
// machine for a while slows both sides of a ratio.

import { Random } from '../../bindings/sampler/random.js';
import type { ModelShape } from '../shapes.js';
import type { Host } from './host.js';
import type { LikelyToken, PeerTrial } from './model_peer.js';
import { HALFBYTE, type Place, type Runtime, type Site, startRuntime } from './runtimes.js';
import { characterPrompt } from './vocabulary.js';

export const PROMPT_TOKENS = 128;
export const DECODE_TOKENS = 32;
/** Enough to compile every kernel. */
const WARM_UP = { promptTokens: 32, decodeTokens: 8 };
const SEED = 1;

/** Of this many most likely tokens, `SHARED` must be common, their logarithms this close. */
const LIKELY = 10;
const SHARED = 6;
const TOLERANCE = 0.3;

/** One model with one number of threads in one place. */
export interface Comparison {
  readonly place: Place;
  readonly shape: ModelShape;
  readonly threads: number;
  readonly peers: readonly Runtime[];
}

/** Tokens a second, trial by trial. */
export interface Rates {
  readonly runtime: string;
  readonly about: string;
  readonly prefill: number[];
  readonly decode: number[];
}

/** How far a peer's next token is from halfbyte's. */
export interface Agreement {
  readonly peer: string;
  /** Tokens among the ten likeliest of both. */
  readonly shared: number;
  /** Largest difference of the logarithm of their probabilities. */
  readonly difference: number;
}

export interface ComparisonResult {
  readonly comparison: Comparison;
  /** halfbyte's come first. */
  readonly rates: readonly Rates[];
  readonly agreements: readonly Agreement[];
}

/** @param model directory of the checkpoint and the GGUF */
export async function compare(
  comparison: Comparison,
  model: string,
  trials: number,
  site: Site,
): Promise<ComparisonResult> {
  const { place, shape, threads, peers } = comparison;
  const runtimes = [HALFBYTE, ...peers];
  const random = Random.fromSeed(SEED);
  const prompt = (count: number) => characterPrompt(count, shape.vocab, () => random.uniform());
  const hosts: Host[] = [];
  try {
    for (const runtime of runtimes) {
      hosts.push(await startRuntime(runtime, place, model, threads, site));
    }
    const agreements = await warmUp(hosts, runtimes, prompt(WARM_UP.promptTokens));
    const rates: Rates[] = [];
    for (const [i, { name }] of runtimes.entries()) {
      const about = await hosts[i]!.call<string>('about');
      rates.push({ runtime: name, about, prefill: [], decode: [] });
    }
    for (let trial = 0; trial < trials; trial++) {
      const given = prompt(PROMPT_TOKENS);
      const order = [...hosts.keys()];
      if (trial % 2 === 1) order.reverse();
      for (const i of order) {
        const run = hosts[i]!.call<PeerTrial>('run', given, DECODE_TOKENS);
        const { prefillMs, decodeMs } = await run;
        rates[i]!.prefill.push((1000 * PROMPT_TOKENS) / prefillMs);
        rates[i]!.decode.push((1000 * DECODE_TOKENS) / decodeMs);
      }
    }
    return { comparison, rates, agreements };
  } finally {
    await Promise.all(hosts.map((host) => host.close()));
  }
}

/** @throws Error for a peer whose weights are not halfbyte's */
async function warmUp(
  hosts: readonly Host[],
  runtimes: readonly Runtime[],
  prompt: readonly number[],
): Promise<Agreement[]> {
  const likely: LikelyToken[][] = [];
  for (const host of hosts) {
    likely.push(await host.call<LikelyToken[]>('likely', prompt, LIKELY));
    await host.call('run', prompt, WARM_UP.decodeTokens);
  }
  return likely.slice(1).map((theirs, i) => {
    const agreement = agree(runtimes[i + 1]!.name, likely[0]!, theirs);
    const { peer, shared, difference } = agreement;
    if (shared >= SHARED && difference <= TOLERANCE) return agreement;
    throw new Error(
      `[${peer}] runs other weights: of the ${LIKELY} likeliest tokens it shares ${shared}, ` +
        `at least ${SHARED} expected; their log probabilities differ by ${difference}, ` +
        `at most ${TOLERANCE} expected`,
    );
  });
}

function agree(
  peer: string,
  ours: readonly LikelyToken[],
  theirs: readonly LikelyToken[],
): Agreement {
  const known = new Map(ours.map(({ token, logProbability }) => [token, logProbability]));
  const differences = theirs.flatMap(({ token, logProbability }) => {
    const own = known.get(token);
    return own === undefined ? [] : [Math.abs(own - logProbability)];
  });
  return { peer, shared: differences.length, difference: Math.max(0, ...differences) };
}
