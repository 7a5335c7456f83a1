import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { FormatError, ShapeError } from '../../bindings/errors.js';
import { linearFormat } from '../../bindings/formats/linear.js';
import type { Weight } from '../../bindings/model/weight.js';
import { checkWeights } from '../../bindings/plan/check.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { tinyCheckpoint, tinyConfig } from '../support/tiny_model.js';

const DOWN = 'model.layers.1.mlp.down_proj';
const plan = planFor(tinyConfig());

function changed(change: (weights: Map<string, Weight>) => void): ReadonlyMap<string, Weight> {
  const weights = new Map(tinyCheckpoint(1).weights);
  change(weights);
  return weights;
}

test('a whole checkpoint passes', () => {
  checkWeights(plan, tinyCheckpoint(1).weights, 'tiny');
});

test('a missing weight is named with the shape it should have', () => {
  const weights = changed((map) => map.delete(DOWN));
  assert.throws(
    () => checkWeights(plan, weights, 'tiny'),
    (error: unknown) =>
      error instanceof FormatError &&
      error.message === `[tiny] ${DOWN}.weight is missing, expected shape [32, 44]`,
  );
});

test('a wrong shape is named with both shapes', () => {
  const weights = changed((map) => map.set(DOWN, { ...map.get(DOWN)!, shape: [44, 32] }));
  assert.throws(
    () => checkWeights(plan, weights, 'tiny'),
    (error: unknown) =>
      error instanceof ShapeError &&
      error.message === `[tiny] ${DOWN}.weight: shape [44, 32], expected [32, 44]`,
  );
});

test('weights that nothing uses are refused by name', () => {
  const path = 'model.layers.0.self_attn.q_norm';
  const weights = changed((map) => map.set(path, { ...map.get(DOWN)!, path }));
  assert.throws(
    () => checkWeights(plan, weights, 'tiny'),
    (error: unknown) => error instanceof FormatError && error.message.includes(path),
  );
});

test('a quantized vector is refused by name', () => {
  const format = linearFormat(4, true);
  const weights = changed((map) => map.set('model.norm', { ...map.get('model.norm')!, format }));
  assert.throws(
    () => checkWeights(plan, weights, 'tiny'),
    (error: unknown) => error instanceof FormatError && error.message.includes('model.norm'),
  );
});

test.run();
