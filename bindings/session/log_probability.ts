// What a row of logits says, in float64. The host's exp and log may differ in their last bits between runtimes:
// this is for measuring text, no token is chosen by it.

/** ln softmax(logits)[token]. */
export function logProbability(logits: Float32Array, token: number): number {
  const { largest, logSum } = normalizer(logits);
  return logits[token]! - largest - logSum;
}

/**
 * The Kullback-Leibler divergence of softmax(q) from softmax(p), in nats: sum of p_i (ln p_i - ln q_i).
 * @param p logits [vocabSize]
 * @param q logits [vocabSize]
 */
export function divergence(p: Float32Array, q: Float32Array): number {
  const [ofP, ofQ] = [normalizer(p), normalizer(q)];
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const logP = p[i]! - ofP.largest - ofP.logSum;
    sum += Math.exp(logP) * (logP - (q[i]! - ofQ.largest - ofQ.logSum));
  }
  return sum;
}

/** The token of the largest logit, the first of equals. */
export function likeliest(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i]! > logits[best]!) best = i;
  return best;
}

/** ln sum exp(logits) is `largest + logSum`. */
function normalizer(logits: Float32Array): { largest: number; logSum: number } {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) largest = Math.max(largest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return { largest, logSum: Math.log(sum) };
}
