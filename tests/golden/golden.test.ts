// Real checkpoints give the tokens that an independent float32 implementation gave (golden.json beside
// them), and logits that a float64 one gives.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { ReferenceExecutor } from '../../bindings/executor/reference.js';
import { WasmExecutor } from '../../bindings/executor/wasm/executor.js';
import { loadModel } from '../../bindings/index.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { largest } from '../support/compare.js';
import { sharedModel } from '../support/shared_models.js';
import { StepSession } from '../support/step_session.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const POSITIONS = 200;
/** Of the largest logit. */
const TOLERANCE = 1e-4;

const golden = async (model: string) =>
  JSON.parse(await readFile(join(model, 'golden.json'), 'utf8'));

for (const name of ['stories260K', 'stories15M']) {
  const path = sharedModel(name);
  if (!path) continue;
  test(`${name}: 200 greedy tokens`, async () => {
    const { ids } = await golden(path);
    const model = await loadModel(path);
    const { promptTokens, tokens } = await model.complete('', { temperature: 0, maxTokens: 200 });
    assert.equal([...promptTokens, ...tokens], ids.slice(0, 201));
    await model.dispose();
  });
}

const chat = sharedModel('minimind2-small');
if (chat) {
  test('minimind2-small: three chat answers', async () => {
    const model = await loadModel(chat);
    for (const { prompt_ids, greedy_ids } of (await golden(chat)).cases) {
      const options = { temperature: 0, maxTokens: greedy_ids.length };
      const { tokens } = await model.complete(prompt_ids, options);
      assert.equal([...tokens], greedy_ids.slice(0, tokens.length));
      assert.ok(tokens.length >= greedy_ids.length - 1, `${tokens.length} tokens`);
    }
    await model.dispose();
  });
}

/** Logits of the two executors at every position, eight rows a step. */
async function compareWithFloat64(path: string, ids: readonly number[]): Promise<void> {
  const checkpoint = await openCheckpoint(path);
  const plan = planFor(checkpoint.config);
  const wasm = await WasmExecutor.create(plan, checkpoint, { threads: 1, kvType: 'f32' });
  const reference = await ReferenceExecutor.create(plan, checkpoint, { kvType: 'f32' });
  const sessions = [new StepSession(wasm), new StepSession(reference)] as const;
  const rows = wasm.logitRowsPerStep;
  for (let begin = 0; begin < ids.length; begin += rows) {
    const tokens = ids.slice(begin, begin + rows);
    for (const session of sessions) await session.step(tokens);
    for (let i = 0; i < tokens.length; i++) {
      const expected = reference.logits(i);
      const bound = TOLERANCE * largest(expected);
      wasm.logits(i).forEach((logit, token) => {
        const error = Math.abs(logit - expected[token]!);
        assert.ok(error <= bound, `position ${begin + i}, token ${token}: off by ${error}`);
      });
    }
  }
  await wasm.dispose();
  await reference.dispose();
  await checkpoint.close();
}

const stories260K = sharedModel('stories260K');
if (stories260K) {
  test('stories260K: logits agree with float64 at 200 positions', async () => {
    const { ids } = await golden(stories260K);
    await compareWithFloat64(stories260K, ids.slice(0, POSITIONS));
  });
}

test('a seeded model: logits agree with float64 at 200 positions', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'halfbyte-golden-'));
  try {
    const model = await writeTinyLlama(folder, { seed: 3, contextLength: 256 });
    const ids = Array.from({ length: POSITIONS }, (_, i) => 3 + ((i * i * 5 + i * 17) % 280));
    await compareWithFloat64(model, ids);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.run();
