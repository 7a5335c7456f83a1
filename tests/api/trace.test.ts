// The option `onTrace` of `loadModel`.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorCode } from '../../bindings/errors.js';
import {
  chromeTrace,
  type LoadOptions,
  loadModel,
  type StepTrace,
  TraceSummary,
} from '../../bindings/index.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite('onTrace');
const root = await mkdtemp(join(tmpdir(), 'halfbyte-trace-'));
const path = await writeTinyLlama(join(root, 'model'));
const OPTIONS = { maxTokens: 6, seed: 4, logitBias: { 2: -100 } };

test.after(() => rm(root, { recursive: true, force: true }));

test('every step of a generation, and the same text', async () => {
  const texts: string[] = [];
  const steps: StepTrace[] = [];
  for (const onTrace of [undefined, (step: StepTrace) => steps.push(step)]) {
    const model = await loadModel(path, { threads: 2, onTrace });
    const { text } = await model.complete(new Array(70).fill(9), OPTIONS);
    texts.push(text);
    await model.dispose();
  }
  assert.is(texts[0], texts[1]);
  // 70 tokens are a step of 64 rows and one of 6; of six tokens drawn five are fed.
  const rows = steps.map(({ positions }) => positions.length);
  assert.equal(rows, [64, 6, 1, 1, 1, 1, 1]);
  const summary = new TraceSummary();
  for (const step of steps) summary.add(step);
  assert.equal(
    summary.phases().map(({ phase, steps: count }) => [phase, count]),
    [
      ['prefill', 2],
      ['decode', 5],
    ],
  );
  const events = chromeTrace(steps).traceEvents.filter(({ ph }) => ph === 'X');
  assert.is(events.length, steps.length + steps.reduce((sum, { ops }) => sum + ops.length, 0));
});

test('what cannot be traced is refused before anything is read', async () => {
  const cases: [LoadOptions, ErrorCode, ...string[]][] = [
    [{ onTrace: true as never }, 'OPTION', 'expected a function, came true'],
    [{ onTrace: () => {}, device: 'reference' }, 'UNSUPPORTED', 'reference'],
  ];
  for (const [options, code, ...parts] of cases) {
    const load = () => loadModel(join(root, 'nowhere'), options);
    await raises(load, code, ['[load] onTrace', ...parts]);
  }
});

test.run();
