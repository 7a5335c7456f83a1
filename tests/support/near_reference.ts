// A model of the core beside the reference executor.

import * as assert from 'uvu/assert';
import { ReferenceExecutor } from '../../bindings/executor/reference.js';
import { WasmExecutor } from '../../bindings/executor/wasm/executor.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { largest } from './compare.js';
import { StepSession } from './step_session.js';

const TOKENS = [5, 17, 250, 9, 9, 120];
/** Of the largest logit: what int8 activations cost. */
const INT8_ACTIVATIONS = 0.05;

/** Asserts that logits of all positions agree with float64. @param tolerance a part of the largest logit */
export async function assertNearReference(
  model: string,
  tolerance = INT8_ACTIVATIONS,
): Promise<void> {
  const checkpoint = await openCheckpoint(model);
  const plan = planFor(checkpoint.config);
  const wasm = await WasmExecutor.create(plan, checkpoint, { threads: 1, kvType: 'f32' });
  const reference = await ReferenceExecutor.create(plan, checkpoint, { kvType: 'f32' });
  for (const executor of [wasm, reference]) await new StepSession(executor).step(TOKENS);
  for (const i of TOKENS.keys()) {
    const expected = reference.logits(i);
    const bound = tolerance * largest(expected);
    wasm.logits(i).forEach((logit, token) => {
      assert.ok(Math.abs(logit - expected[token]!) <= bound, `${i}, ${token}: ${logit}`);
    });
  }
  await wasm.dispose();
  await reference.dispose();
  await checkpoint.close();
}
