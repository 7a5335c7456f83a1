// A checkpoint that mlx-lm quantized and wrote: every weight is MLX's (mlx_formats.test.ts says what equal is), and
// the model says what MLX's model says.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ReferenceExecutor } from '../../bindings/executor/reference.js';
import { decodeFloats, encodeFloats } from '../../bindings/formats/float_bytes.js';
import { loadModel } from '../../bindings/index.js';
import { type Checkpoint, openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { matrixShape, type Weight } from '../../bindings/model/weight.js';
import { checkWeights } from '../../bindings/plan/check.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { largest } from '../support/compare.js';
import { StepSession } from '../support/step_session.js';
import { floatWeight } from '../support/tiny_model.js';
import { digest, goldenPath, goldens } from './goldens.js';

interface Golden {
  readonly shape: readonly number[];
  readonly values: string;
}

interface Logits {
  readonly tokens: readonly number[];
  /** [tokens, vocabulary] */
  readonly near: readonly number[][];
}

const FOLDER = goldenPath('mlx_llama');
const CASES = goldens<Golden & Logits>('mlx_checkpoint');
const WEIGHTS = CASES.filter(([path]) => path !== 'logits');
const LOGITS = CASES.find(([path]) => path === 'logits')![1];
/** Of the largest logit: float32 sums in another order. */
const FLOAT_TOLERANCE = 1e-5;
/** Of the largest logit: activations of 8 bits. */
const INT8_TOLERANCE = 0.03;

test('every weight has the values that mx.dequantize gives it', async () => {
  const checkpoint = await openCheckpoint(FOLDER);
  checkWeights(planFor(checkpoint.config), checkpoint.weights, checkpoint.name);
  assert.equal([...checkpoint.weights.keys()].sort(), WEIGHTS.map(([path]) => path).sort());
  for (const [path, { shape, values }] of WEIGHTS) {
    const weight = checkpoint.weights.get(path)!;
    assert.equal(weight.shape, shape, path);
    assert.is(digest(await valuesOfMlx(weight)), values, path);
  }
  await checkpoint.close();
});

test('on decoded weights, the model has the logits of MLX', async () => {
  const packed = await openCheckpoint(FOLDER);
  const weights = new Map<string, Weight>();
  for (const [path, weight] of packed.weights) {
    const values = Float32Array.from(await readRows(weight, 0, weight.shape[0]!));
    weights.set(path, floatWeight(path, weight.shape, values));
  }
  await packed.close();
  const checkpoint: Checkpoint = { ...packed, weights };
  const plan = planFor(checkpoint.config);
  const reference = await ReferenceExecutor.create(plan, checkpoint, { kvType: 'f32' });
  const session = new StepSession(reference);
  for (const [i, token] of LOGITS.tokens.entries()) {
    await session.step([token]);
    near(reference.logits(0), LOGITS.near[i]!, FLOAT_TOLERANCE);
  }
  await reference.dispose();
});

test('as it is stored, the model has them within what activations of 8 bits cost', async () => {
  const model = await loadModel(FOLDER, { threads: 1 });
  const session = await model.createSession();
  for (const [i, token] of LOGITS.tokens.entries()) {
    near(await session.prefill([token]), LOGITS.near[i]!, INT8_TOLERANCE);
  }
  await model.dispose();
});

/** Rounded to the type of its scales as MLX rounds: after the product, then after the sum. */
async function valuesOfMlx(weight: Weight): Promise<Uint8Array> {
  const { n, k } = matrixShape(weight);
  const { float, scale } = weight.format;
  const values = await readRows(weight, 0, n);
  if (float) return encodeFloats(values, float);
  const { dtype } = scale!;
  const part = weight.parts.find(({ role }) => role === 'biases')!;
  const bytes = new Uint8Array(part.bytes);
  await part.source.read(part.offset, bytes);
  const biases = decodeFloats(bytes, dtype);
  const bias = (i: number) =>
    biases[Math.floor(i / k) * (k / scale!.k) + Math.floor((i % k) / scale!.k)]!;
  // scale * code again: of float16 scales the float64 sum was exact.
  const products = decodeFloats(
    encodeFloats(
      values.map((value, i) => value - bias(i)),
      dtype,
    ),
    dtype,
  );
  return encodeFloats(
    products.map((product, i) => product + bias(i)),
    dtype,
  );
}

function near(came: ArrayLike<number>, expected: readonly number[], tolerance: number): void {
  assert.is(came.length, expected.length);
  const bound = tolerance * largest(expected);
  for (const [i, one] of expected.entries()) {
    const message = `token ${i}: ${came[i]}, expected ${one} within ${bound}`;
    assert.ok(Math.abs(came[i]! - one) <= bound, message);
  }
}

test.run();
