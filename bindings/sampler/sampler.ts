// Logits -> next token, beside the core. The order: repetitionPenalty, logitBias, allowedTokens; then the
// largest logit if temperature is 0, else softmax(logits / temperature), topK, topP, minP and a draw.

import { OptionError, show } from '../errors.js';
import { checkOptionNames, type OptionNames } from '../options.js';
import { CHOOSING_IN_TURN, type LogitsReader, type TokenChooser } from '../session/owner.js';
import { addBias, keepAllowed, penalizeRepetition } from './adjust.js';
import { filterTokens, sum } from './filters.js';
import { Random, randomSeed } from './random.js';
import { BIAS_RANGE, isNatural, RANGES } from './ranges.js';

export interface SamplerOptions {
  /** 0: always the most likely token. Otherwise from 1e-6 to 1e6; default 1. */
  readonly temperature?: number | undefined;
  /** Draws among the k most likely tokens; 0, the default: among all. */
  readonly topK?: number | undefined;
  /** Draws among the fewest likely tokens that together reach this probability, (0, 1]; default 1. */
  readonly topP?: number | undefined;
  /** Draws among tokens at least minP times as likely as the likeliest, [0, 1]; default 0. */
  readonly minP?: number | undefined;
  /** Above 1 makes tokens that occurred less likely, prompt included; from 1e-3 to 1e3, default 1. */
  readonly repetitionPenalty?: number | undefined;
  /** An integer from 0 to 2^53 - 1; default: a random one, to be read from `sampler.seed`. */
  readonly seed?: number | undefined;
  /** Added to the logits of tokens, by id, at most 1e30 either way; -Infinity rules a token out. */
  readonly logitBias?: Readonly<Record<number, number>> | undefined;
  /** Only tokens whose bit is 1 are drawn: bit t & 31 of word t >> 5. */
  readonly allowedTokens?: Uint32Array | null | undefined;
}

export const SAMPLER_OPTIONS: OptionNames<SamplerOptions> = {
  temperature: true,
  topK: true,
  topP: true,
  minP: true,
  repetitionPenalty: true,
  seed: true,
  logitBias: true,
  allowedTokens: true,
};

export class Sampler implements TokenChooser {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly repetitionPenalty: number;
  readonly seed: number;
  /** By token id. */
  readonly logitBias: ReadonlyMap<number, number>;
  /** May be replaced between tokens: what a grammar allows next. */
  allowedTokens: Uint32Array | null;
  readonly #random: Random;

  static {
    CHOOSING_IN_TURN.add(Sampler.prototype.choose);
  }

  /** @throws OptionError for a value outside of its interval, or a name that there is not */
  constructor(options: SamplerOptions = {}) {
    checkOptionNames('sampler', options, SAMPLER_OPTIONS);
    this.temperature = options.temperature ?? 1;
    this.topK = options.topK ?? 0;
    this.topP = options.topP ?? 1;
    this.minP = options.minP ?? 0;
    this.repetitionPenalty = options.repetitionPenalty ?? 1;
    this.seed = options.seed ?? randomSeed();
    const bias = Object.entries(options.logitBias ?? {});
    this.logitBias = new Map(bias.map(([token, value]) => [Number(token), value]));
    this.allowedTokens = options.allowedTokens ?? null;
    checkOptions(this);
    this.#random = Random.fromSeed(this.seed);
  }

  /** Chooses from the `index`-th logits of the latest step, which are overwritten. */
  async choose(executor: LogitsReader, index: number, history: readonly number[]): Promise<number> {
    const logits = await executor.logits(index);
    if (this.repetitionPenalty !== 1) penalizeRepetition(logits, history, this.repetitionPenalty);
    if (this.logitBias.size > 0) addBias(logits, this.logitBias);
    if (this.allowedTokens) keepAllowed(logits, this.allowedTokens);
    const best = likeliest(logits);
    if (best < 0) throw this.#noChoice();
    if (this.temperature === 0) return best;
    return this.#draw(await executor.softmax(index, this.temperature), best);
  }

  #draw(probabilities: Float32Array, best: number): number {
    const kept = filterTokens(probabilities, this);
    const mass = kept?.mass ?? sum(probabilities);
    const target = this.#random.uniform() * mass;
    const count = kept?.ids.length ?? probabilities.length;
    let reached = 0;
    let last = best;
    for (let i = 0; i < count; i++) {
      const id = kept ? kept.ids[i]! : i;
      const p = probabilities[id]!;
      if (p === 0) continue;
      reached += p;
      last = id;
      if (reached > target) break;
    }
    return last;
  }

  /** Logits come finite, so only options can have ruled out every token. */
  #noChoice(): OptionError {
    const names = [this.allowedTokens && 'allowedTokens', this.logitBias.size > 0 && 'logitBias'];
    const came = names.filter(Boolean).join(' and ');
    return new OptionError(`[sampler] ${came}: expected at least one token that may be chosen`);
  }
}

/** The largest logit's token, the lowest id among equals; -1 if no logit is above -Infinity. */
function likeliest(logits: Float32Array): number {
  let best = -1;
  let largest = Number.NEGATIVE_INFINITY;
  for (let id = 0; id < logits.length; id++) {
    const logit = logits[id]!;
    if (logit > largest) {
      largest = logit;
      best = id;
    }
  }
  return best;
}

function checkOptions(sampler: Sampler): void {
  for (const name of Object.keys(RANGES) as (keyof typeof RANGES)[]) {
    check(RANGES[name].holds(sampler[name]), name, RANGES[name].expected, sampler[name]);
  }
  for (const [token, value] of sampler.logitBias) {
    check(isNatural(token), 'logitBias', 'token ids, integers from 0', token);
    check(BIAS_RANGE.holds(value), `logitBias of token ${token}`, BIAS_RANGE.expected, value);
  }
}

function check(valid: boolean, name: string, expected: string, came: unknown): void {
  if (!valid) throw new OptionError(`[sampler] ${name}: expected ${expected}, came ${show(came)}`);
}
