/**
 * ln softmax(logits)[token], in float64. The host's exp and log may differ in their last bits between
 * runtimes: this is for measuring text, no token is chosen by it.
 */
export function logProbability(logits: Float32Array, token: number): number {
  let largest = Number.NEGATIVE_INFINITY;
  for (const logit of logits) largest = Math.max(largest, logit);
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return logits[token]! - largest - Math.log(sum);
}
