// One measured run of a model: a prompt, then tokens one by one. The benchmarks of whole models share it.

import type { Random } from '../sampler/random.js';
import type { TokenChooser } from '../session/owner.js';
import type { Session } from '../session/session.js';

/** Milliseconds of one trial. */
export interface Trial {
  readonly firstTokenMs: number;
  readonly decodeMs: number;
}

/** Tokens drawn from the whole vocabulary. */
export function randomPrompt(random: Random, length: number, vocabSize: number): number[] {
  return Array.from({ length }, () => Math.floor(random.uniform() * vocabSize));
}

/** Feeds `prompt`, then decodes `decodeTokens` tokens; those that end a text do not end it. */
export async function runTrial(
  session: Session,
  chooser: TokenChooser,
  prompt: readonly number[],
  decodeTokens: number,
  signal?: AbortSignal,
): Promise<Trial> {
  const started = performance.now();
  let token = await session.sample(prompt, chooser, { signal });
  const first = performance.now();
  for (let i = 0; i < decodeTokens; i++) token = await session.sample([token], chooser, { signal });
  return { firstTokenMs: first - started, decodeMs: performance.now() - first };
}
