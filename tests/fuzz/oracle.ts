// Runs a model that may be anything: it is refused by name, or its logits are finite, those of the reference
// executor, and the same bits however they are computed.

import {
  inspectModel,
  type LoadOptions,
  loadModel,
  type Model,
  type ModelLocation,
} from '../../bindings/index.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { ReferenceExecutor } from '../../bindings/executor/reference.js';
import { largest, TOLERANCE } from '../support/compare.js';
import { TestRandom } from '../support/random.js';
import { StepSession } from '../support/step_session.js';
import { floatWeight } from '../support/tiny_model.js';
import { anyText } from './byte_damage.js';
import { oneIn } from './subject.js';
import { Finding, refused, type Verdict } from './verdict.js';

/** Larger ones are only inspected: a file may rightly ask for a large arena. */
const MOST_BYTES = 256e6;
/** Of the largest logit: what int8 activations cost a compressed model (tests/executor). */
const COMPRESSED = 0.05;
/** Relative noise on the weights that shows how much of the error a model makes of nothing. */
const NOISE = { float: 2 ** -20, compressed: 2 ** -6 };
/** An error that many times what such noise does is no rounding. */
const ROUNDING = 8;

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
  await compare(oracle, tokens, logits);
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

function checkFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new Finding('not finite', `${what}: ${i} is ${values[i]}`);
  }
}

/** Against plain float64 loops over the same file. */
async function compare(
  oracle: ModelLocation,
  tokens: readonly number[],
  logits: Float32Array,
): Promise<void> {
  const expected = await referenceLogits(oracle, tokens);
  checkFinite(expected, 'logits of the reference executor alone');
  const error = furthest(logits, expected);
  const checkpoint = await openCheckpoint(oracle);
  try {
    const compressed = [...checkpoint.weights.values()].some(
      ({ format }) => format.kind !== 'float',
    );
    const bound = (compressed ? COMPRESSED : TOLERANCE.logits) * largest(expected);
    if (error <= bound) return;
    const noise = compressed ? NOISE.compressed : NOISE.float;
    const noisy = furthest(await noisyLogits(checkpoint, tokens, noise), expected);
    // Numbers at the ends of float32's range or sums that cancel: rounding, not misreading.
    if (!(error > bound + ROUNDING * noisy)) return;
    const numbers = `off by ${error}, bound ${bound}, ${noisy} by noise of ${noise}`;
    throw new Finding('other logits', `the reference executor disagrees: ${numbers}`);
  } finally {
    await checkpoint.close();
  }
}

async function referenceLogits(
  oracle: ModelLocation,
  tokens: readonly number[],
): Promise<Float32Array> {
  try {
    const model = await loadModel(oracle, { device: 'reference', kvCache: 'f32' });
    const logits = await (await model.createSession()).prefill(tokens);
    await model.dispose();
    return logits;
  } catch (cause) {
    throw new Finding('reference', `refuses what the core runs: ${cause}`, { cause });
  }
}

/** Logits of the reference executor with every weight a little off. */
async function noisyLogits(
  checkpoint: Awaited<ReturnType<typeof openCheckpoint>>,
  tokens: readonly number[],
  noise: number,
): Promise<Float32Array> {
  const random = new TestRandom(1);
  const plan = planFor(checkpoint.config);
  const weights = new Map();
  for (const path of plan.weights.keys()) {
    const weight = checkpoint.weights.get(path)!;
    const values = await readRows(weight, 0, weight.shape[0]!);
    const noisy = Float32Array.from(values, (w) => w * (1 + noise * random.between(-1, 1)));
    weights.set(path, floatWeight(path, weight.shape, noisy));
  }
  const executor = await ReferenceExecutor.create(
    plan,
    { ...checkpoint, weights },
    { kvType: 'f32' },
  );
  return new StepSession(executor).prefill(tokens, 64);
}

function furthest(actual: Float32Array, expected: Float32Array): number {
  return actual.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0);
}

async function sameInPieces(
  model: Model,
  tokens: readonly number[],
  logits: Float32Array,
): Promise<void> {
  const session = await model.createSession();
  for (const token of tokens.slice(0, -1)) await session.prefill([token]);
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
