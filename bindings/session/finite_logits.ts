// Where NaN and infinite logits end: every way out of a step - copies, probabilities, the choice of a token -
// comes after this.

import { FormatError } from '../errors.js';
import type { Executor, Row } from '../executor/executor.js';

/**
 * Checks the logits of the step that ran these rows.
 * @throws FormatError with the first that is not finite, its token, and the position it belongs to
 */
export async function checkLogits(executor: Executor, rows: readonly Row[]): Promise<void> {
  const wanted = rows.filter((row) => row.wantLogits);
  for (const [index, { token, position }] of wanted.entries()) {
    const logits = await executor.logits(index);
    if (Number.isFinite(sum(logits))) continue;
    const id = logits.findIndex((logit) => !Number.isFinite(logit));
    throw new FormatError(
      `[session] logits after token ${token} at position ${position}: expected finite numbers, ` +
        `came ${logits[id]} for token ${id}; weights that are damaged, or that overflow float32, do this`,
    );
  }
}

/** Float64 holds any sum of float32 numbers that are finite, so it is finite exactly if all are. */
function sum(logits: Float32Array): number {
  let total = 0;
  // An index: `for of` takes eight times as long, and this is done for every token.
  for (let i = 0; i < logits.length; i++) total += logits[i]!;
  return total;
}
