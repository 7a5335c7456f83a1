// Changes of logits in place, before a token is chosen.

import { OptionError } from '../errors.js';

const LARGEST_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

/**
 * Makes every token of `history` less likely: its positive logit is divided by `penalty`, its negative one
 * multiplied, once however often it occurs. A finite logit stays finite.
 */
export function penalizeRepetition(
  logits: Float32Array,
  history: readonly number[],
  penalty: number,
): void {
  for (const token of new Set(history)) {
    const logit = logits[token]!;
    const adjusted = logit < 0 ? logit * penalty : logit / penalty;
    logits[token] = Math.max(-LARGEST_FLOAT32, Math.min(LARGEST_FLOAT32, adjusted));
  }
}

/** Adds to the logits of these tokens. @throws OptionError for a token outside of the vocabulary */
export function addBias(logits: Float32Array, bias: ReadonlyMap<number, number>): void {
  for (const [token, value] of bias) {
    if (token >= logits.length) {
      throw new OptionError(
        `[sampler] logitBias: token ${token}, expected an id from 0 to ${logits.length - 1}`,
      );
    }
    logits[token]! += value;
  }
}

/**
 * Rules out every token whose bit is 0: bit t & 31 of word t >> 5.
 * @throws OptionError if the mask is shorter than the vocabulary
 */
export function keepAllowed(logits: Float32Array, allowed: Uint32Array): void {
  const words = Math.ceil(logits.length / 32);
  if (allowed.length < words) {
    throw new OptionError(
      `[sampler] allowedTokens: ${allowed.length} words, expected ${words} for ${logits.length} tokens`,
    );
  }
  for (let token = 0; token < logits.length; token++) {
    const bit = allowed[token >> 5]! & (1 << (token & 31));
    if (bit === 0) logits[token] = Number.NEGATIVE_INFINITY;
  }
}
