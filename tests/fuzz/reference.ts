// Logits against those of the reference executor, and how far the two may be apart.

import { ReferenceExecutor } from '../../bindings/executor/reference.js';
import { loadModel, type ModelLocation } from '../../bindings/index.js';
import { type Checkpoint, openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import type { Weight } from '../../bindings/model/weight.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { largest, TOLERANCE } from '../support/compare.js';
import { TestRandom } from '../support/random.js';
import { StepSession } from '../support/step_session.js';
import { floatWeight } from '../support/tiny_model.js';
import { Finding } from './verdict.js';

/** Of the largest logit: what int8 activations cost a compressed model (tests/executor). */
const COMPRESSED = 0.05;
/** Relative noise on the weights that shows how much of the error a model makes of nothing. */
const NOISE = { float: 2 ** -20, compressed: 2 ** -6 };
/** Products of larger weights leave float32, whose sums of squares are then infinite. */
const LARGEST_WEIGHT = 1e6;
/** An error that many times what such noise does is no rounding. */
const ROUNDING = 8;

export function checkFinite(values: ArrayLike<number>, what: string): void {
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i]))
      throw new Finding('not finite', `${what}: ${i} is ${values[i]}`);
  }
}

/** Against plain float64 loops over the same file. @throws Finding */
export async function compareWithReference(
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
      ({ format }) => format.float === undefined,
    );
    const bound = (compressed ? COMPRESSED : TOLERANCE.logits) * largest(expected);
    if (error <= bound) return;
    const noise = compressed ? NOISE.compressed : NOISE.float;
    const other = await noisyLogits(checkpoint, tokens, noise);
    if (other === null) return;
    const noisy = furthest(other, expected);
    // Sums that cancel: rounding, not misreading.
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

/** Logits of the reference executor with every weight a little off; null where float32 cannot follow it. */
async function noisyLogits(
  checkpoint: Checkpoint,
  tokens: readonly number[],
  noise: number,
): Promise<Float32Array | null> {
  const random = new TestRandom(1);
  const plan = planFor(checkpoint.config);
  const weights = new Map<string, Weight>();
  for (const path of plan.weights.keys()) {
    const weight = checkpoint.weights.get(path)!;
    const values = await readRows(weight, 0, weight.shape[0]!);
    if (largest(values) > LARGEST_WEIGHT) return null;
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
