import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import * as ops from '../../bindings/executor/reference.js';
import { ReferenceExecutor } from '../../bindings/executor/reference.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { checkWeights } from '../../bindings/plan/check.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { sharedModel } from '../support/shared_models.js';
import { StepSession } from '../support/step_session.js';
import { tinyCheckpoint, tinyConfig } from '../support/tiny_model.js';

const f64 = (...values: number[]) => Float64Array.from(values);

function near(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-12): void {
  assert.is(actual.length, expected.length);
  for (let i = 0; i < expected.length; i++) {
    const message = `element ${i}: ${actual[i]}, expected ${expected[i]}`;
    assert.ok(Math.abs(actual[i]! - expected[i]!) <= tolerance, message);
  }
}

test('matmul multiplies by the transposed weight', () => {
  const x = f64(1, 2, 3, 4, 5, 6);
  const w = f64(1, 0, 0, 0, 1, 1);
  near(ops.matmul(x, w, 3), [1, 2 + 3, 4, 5 + 6]);
});

test('rmsNorm divides by the root of the mean square', () => {
  near(ops.rmsNorm(f64(3, 4), f64(1, 2), 0), [3 / Math.sqrt(12.5), 8 / Math.sqrt(12.5)]);
  near(ops.rmsNorm(f64(0, 0), f64(1, 2), 1e-5), [0, 0]);
});

test('rope turns pairs by position * frequency, in both styles', () => {
  const angles = ops.ropeAngles([0, 3], f64(Math.PI / 6, Math.PI / 3));
  near(angles, [1, 1, 0, 0, Math.cos(Math.PI / 2), -1, 1, Math.sin(Math.PI)]);
  // Position 3: the first pair by a right angle, the second by two.
  const x = f64(1, 2, 3, 4, 1, 2, 3, 4);
  near(ops.rope(x, angles, 1, 4, 'halves'), [1, 2, 3, 4, -3, -2, 1, -4]);
  near(ops.rope(x, angles, 1, 4, 'interleaved'), [1, 2, 3, 4, -2, 1, -3, -4]);
});

test('softmax sums to one and survives huge scores', () => {
  near(ops.softmax([0, Math.log(3)]), [0.25, 0.75]);
  near(ops.softmax([0, Math.log(3)], 0.5), [0.1, 0.9]);
  near(ops.softmax([1e6, 1e6, -1e6]), [0.5, 0.5, 0]);
});

test('sdpa shares a KV head among gqaFactor heads', () => {
  // Two heads, one KV head: head 0 sees both positions alike, head 1 nearly only the first.
  const q = f64(0, 0, 100, 0);
  const k = f64(1, 0, 0, 1);
  const v = f64(2, 4, 6, 8);
  const shape = { numHeads: 2, numKvHeads: 1, headDim: 2 };
  near(ops.sdpa(q, k, v, shape, 1), [(2 + 6) / 2, (4 + 8) / 2, 2, 4]);
});

test('siluMul is z * sigmoid(z) * up', () => {
  near(ops.siluMul(f64(0, Math.log(3), -1000), f64(5, 2, 1)), [0, 2 * 0.75 * Math.log(3), 0]);
});

test('quantizeRows rounds half to even, clamps, and leaves a block of zeros alone', () => {
  const x = new Float64Array(40);
  x.set([127, 0.5, 1.5, -0.5, -2.5, -127]);
  const rows = ops.quantizeRows(x, 40);
  assert.equal([...rows.q.slice(0, 6)], [127, 0, 2, 0, -2, -127]);
  assert.equal([...rows.scales], [1, 0]);
  assert.equal([...rows.sums], [0, 0]);
  assert.is(rows.q.length, 64);
});

test('matmulQuantized is the float product of what was quantized', () => {
  const x = Float64Array.from({ length: 64 }, (_, i) => Math.sin(i));
  const q = Uint8Array.from({ length: 64 }, (_, i) => (i * 7) % 16);
  const rows = ops.quantizeRows(x, 64);
  const xValues = Float64Array.from(rows.q, (value, i) => value * rows.scales[i >> 5]!);

  const symmetric = { q, scales: f64(0.5, -2), biases: null, zeroPoint: 8 };
  const w = Float64Array.from(q, (value, i) => (value - 8) * symmetric.scales[i >> 5]!);
  near(ops.matmulQuantized(rows, symmetric, 2), ops.matmul(xValues, w, 64));

  const affine = { q, scales: f64(0.5, -2), biases: f64(3, -1), zeroPoint: 0 };
  const wAffine = Float64Array.from(
    q,
    (value, i) => value * affine.scales[i >> 5]! + affine.biases[i >> 5]!,
  );
  near(ops.matmulQuantized(rows, affine, 2), ops.matmul(xValues, wAffine, 64));
});

test('prefill in chunks, token by token and beside another session gives the same logits', async () => {
  const executor = await tinyExecutor();
  const tokens = Array.from({ length: 70 }, (_, i) => (i * 11) % 65);
  const whole = new StepSession(executor);
  const expected = await whole.prefill(tokens, 64);
  whole.dispose();
  for (const chunk of [1, 3, 33]) {
    const session = new StepSession(executor);
    assert.equal(await session.prefill(tokens, chunk), expected, `chunk ${chunk}`);
    session.dispose();
  }
  const [first, second] = [new StepSession(executor), new StepSession(executor)];
  for (const [i, token] of tokens.entries()) {
    executor.run([first.row(token, i === 69), second.row((token + 1) % 65, i === 69)]);
  }
  assert.equal(executor.logits(0).slice(), expected, 'two sessions in one step');
  assert.not.equal(executor.logits(1).slice(), expected);
  await executor.dispose();
});

test('a window hides what lies before it', async () => {
  const config = { ...tinyConfig(), numLayers: 1 };
  const plan = planFor(config);
  const windowed = {
    ...plan,
    segments: plan.segments.map(({ ops }) => ({
      ops: ops.map((op) => (op.kind === 'sdpa' ? { ...op, window: 4 } : op)),
    })),
  };
  const options = { kvType: 'f32' } as const;
  const executor = await ReferenceExecutor.create(windowed, tinyCheckpoint(7, config), options);
  const last = [9, 8, 7, 6];
  const logits = await new StepSession(executor).prefill([1, 2, 3, ...last], 64);
  // With one layer only the last four positions reach the result, whatever came before them.
  assert.equal(await new StepSession(executor).prefill([4, 5, 6, ...last], 64), logits);
  assert.not.equal(await new StepSession(executor).prefill([1, 2, 9, 3, 8, 7, 6], 64), logits);
});

test('a full KV cache and too many rows are refused with both numbers', async () => {
  const options = { kvType: 'f32', kvCacheBytes: 0 } as const;
  const executor = await ReferenceExecutor.create(
    planFor(tinyConfig()),
    tinyCheckpoint(7),
    options,
  );
  assert.throws(() => executor.kv.allocatePage(), /KV cache needs \d+ bytes, limit is 0/);
  const pages = executor.kv.createTable(1);
  const row = { token: 0, position: 0, pages, wantLogits: true };
  assert.throws(() => executor.run(new Array(65).fill(row)), /65 rows in a step, limit 64/);
  assert.throws(() => executor.run(new Array(9).fill(row)), /9 rows .* limit 8/);
});

const stories260K = sharedModel('stories260K');
if (stories260K) {
  test('stories260K, greedy: the ids of an independent float32 implementation', async () => {
    const checkpoint = await openCheckpoint(stories260K);
    const plan = planFor(checkpoint.config);
    checkWeights(plan, checkpoint.weights, checkpoint.name);
    const executor = await ReferenceExecutor.create(plan, checkpoint, { kvType: 'f32' });
    await checkpoint.close();
    const golden = await readFile(join(stories260K, 'golden.json'), 'utf8');
    const { ids } = JSON.parse(golden) as { ids: number[] };
    const session = new StepSession(executor);
    const actual = [1];
    while (actual.length < 201)
      actual.push(indexOfLargest(await session.prefill(actual.slice(-1), 1)));
    assert.equal(actual, ids.slice(0, 201));
    await executor.dispose();
  });
}

function indexOfLargest(values: Float32Array): number {
  return values.indexOf(values.reduce((a, b) => Math.max(a, b)));
}

async function tinyExecutor(): Promise<ReferenceExecutor> {
  return ReferenceExecutor.create(planFor(tinyConfig()), tinyCheckpoint(7), { kvType: 'f32' });
}

test.run();
