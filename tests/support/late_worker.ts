// A thread that comes late, at random: after a step has begun it does nothing for a while, then takes part in
// whatever the plan is at. Told nothing but where the plan is, it ends when PLAN_STOP is set.

import { workerData } from 'node:worker_threads';
import { PLAN_STEP, PLAN_STOP } from '../../assembly/op_layout.js';
import { instantiateCore } from '../../bindings/executor/wasm/core.js';
import type { WorkerStart } from '../../bindings/executor/wasm/threads.js';
import { TestRandom } from './random.js';

/** Most turns of an empty loop: some 100 microseconds, as long as a step of the test. */
const MOST_TURNS = 100_000;

const { module, memory, plan, thread } = workerData as WorkerStart;
const core = instantiateCore(module, memory);
const words = new Int32Array(memory.buffer);
const random = new TestRandom(thread);
const stepAt = (plan + PLAN_STEP) / 4;
for (;;) {
  const step = Atomics.load(words, stepAt);
  if (Atomics.load(words, (plan + PLAN_STOP) / 4) === 1) break;
  const turns = random.below(MOST_TURNS);
  for (let i = 0; i < turns; i++);
  core.run_plan(plan, true);
  Atomics.wait(words, stepAt, step);
}
