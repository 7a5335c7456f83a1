// A trace of steps: the same bits, and ops that tell what they are.

import { reportRuntime, type StepTrace, TraceSummary } from 'halfbyte';
import * as assert from 'uvu/assert';
import { test } from './support/collect.js';
import { twoThreads } from './support/findings.js';
import { PROMPT, rejects, sameBits, withModel } from './support/fixtures.js';

test('traced steps, where the clock runs', async () => {
  const logits: Float32Array[] = [];
  const steps: StepTrace[] = [];
  const trace = (onTrace?: (step: StepTrace) => void) =>
    withModel('int4', { threads: twoThreads(), onTrace }, async (model) => {
      const session = await model.createSession();
      await session.prefill(PROMPT);
      logits.push(await session.decode(7));
    });
  await trace();
  const { runtime } = await reportRuntime();
  const traced = () => trace((step) => steps.push(step));
  if (runtime.name === 'workerd') return void (await rejects(traced, 'UNSUPPORTED', 'onTrace'));
  await traced();
  sameBits(logits[1]!, logits[0]!, 'traced');
  assert.equal(
    steps.map(({ positions }) => positions.length),
    [64, 64, 64, 64, 14, 1],
  );
  const summary = new TraceSummary();
  for (const step of steps) summary.add(step);
  assert.match(String(summary), 'quantize_rows');
});
