// Runs a model that may be anything: it is refused by name, or its logits are finite, those of the reference
// executor, and the same bits however they are computed.

import {
  inspectModel,
  type LoadOptions,
  loadModel,
  type Model,
  type ModelLocation,
} from '../../bindings/index.js';
import type { TestRandom } from '../support/random.js';
import { anyText } from './byte_damage.js';
import { checkFinite, compareWithReference } from './reference.js';
import { oneIn } from './subject.js';
import { Finding, refused, type Verdict } from './verdict.js';

/** Larger ones are only inspected: a file may rightly ask for a large arena. */
const MOST_BYTES = 256e6;
/**
 * Inspects, loads and runs the model at `location`.
 * @param oracle where the reference executor reads: the same place, unless the fuzzer itself is tested
 * @throws Finding
 */
export async function runModel(
  location: ModelLocation,
  random: TestRandom,
  oracle: ModelLocation = location,
): Promise<Verdict> {
  const inspected = await attempt(() => inspectModel(location, { threads: 1 }));
  if (inspected && total(inspected.residentBytes) > MOST_BYTES) return 'accepted';
  const model = await attempt(() => loadModel(location, { threads: 1, kvCache: 'f32' }));
  if (model === null) return 'refused';
  try {
    if (inspected === null) throw new Finding('inspect', 'refused what loadModel takes');
    const { weights, arena } = inspected.residentBytes;
    const { weights: taken, arena: used } = model.memory;
    if (taken !== weights || used !== arena) {
      throw new Finding('memory', `predicted ${weights} + ${arena}, taken ${taken} + ${used}`);
    }
    return await runLoaded(model, location, random, oracle);
  } finally {
    await model.dispose();
  }
}

async function runLoaded(
  model: Model,
  location: ModelLocation,
  random: TestRandom,
  oracle: ModelLocation,
): Promise<Verdict> {
  const { vocabSize, contextLength } = model.config;
  const length = 1 + random.below(Math.min(contextLength, oneIn(random, 8) ? 40 : 8));
  const tokens = Array.from({ length }, () => random.below(vocabSize));
  const logits = await attempt(async () => (await model.createSession()).prefill(tokens));
  if (logits === null) return 'refused';
  checkFinite(logits, 'logits of a prefill');
  await compareWithReference(oracle, tokens, logits);
  if (oneIn(random, 6)) await sameInPieces(model, tokens, logits);
  if (oneIn(random, 40)) await sameOtherwise(location, tokens, logits, { threads: 2 });
  if (oneIn(random, 10)) await sameOtherwise(location, tokens, logits, { simd: 'baseline' });
  return generateSome(model, random);
}

/** Null where it was refused as it should be. */
async function attempt<T>(run: () => Promise<T>): Promise<T | null> {
  try {
    return await run();
  } catch (error) {
    refused(error);
    return null;
  }
}

async function sameInPieces(
  model: Model,
  tokens: readonly number[],
  logits: Float32Array,
): Promise<void> {
  const session = await model.createSession();
  for (const token of tokens.slice(0, -1)) {
    // Logits that a whole prefill asks nobody for; they may leave float32 where its last do not.
    if ((await attempt(() => session.prefill([token]))) === null) return;
  }
  sameBits(await session.prefill(tokens.slice(-1)), logits, 'token by token');
  await session.dispose();
}

async function sameOtherwise(
  location: ModelLocation,
  tokens: readonly number[],
  logits: Float32Array,
  options: LoadOptions,
): Promise<void> {
  const model = await loadModel(location, { threads: 1, kvCache: 'f32', ...options });
  const session = await model.createSession();
  sameBits(await session.prefill(tokens), logits, JSON.stringify(options));
  await model.dispose();
}

function sameBits(actual: Float32Array, expected: Float32Array, how: string): void {
  const at = actual.findIndex((value, i) => !Object.is(value, expected[i]));
  if (at < 0) return;
  throw new Finding('other bits', `${how}: logit ${at} is ${actual[at]}, was ${expected[at]}`);
}

/** A few tokens, from text where the model has a tokenizer. */
async function generateSome(model: Model, random: TestRandom): Promise<Verdict> {
  const text = anyText(random, 1).slice(0, 12);
  const maxTokens = random.below(4);
  const options = { maxTokens, seed: random.below(1000) };
  const result = await attempt(() => model.complete(text, options));
  if (result === null) return 'refused';
  if (result.tokens.length > maxTokens) {
    throw new Finding('budget', `${result.tokens.length} tokens of at most ${maxTokens}`);
  }
  return 'accepted';
}

function total(bytes: { weights: number; arena: number }): number {
  return bytes.weights + bytes.arena;
}
