// Loading: from memory, with progress, stopped halfway, on what the runtime offers.

import { loadModel, reportRuntime } from 'halfbyte';
import * as assert from 'uvu/assert';
import { test } from './support/collect.js';
import { findings } from './support/findings.js';
import { rejects, thrownBy, withModel } from './support/fixtures.js';
import { modelBytes, SCHEMES } from './support/models.js';

for (const scheme of SCHEMES) {
  test(`load ${scheme} from bytes`, () =>
    withModel(scheme, {}, async (model) => {
      assert.is(model.config.vocabSize, 300);
      assert.is(model.config.contextLength, 320);
      assert.is(model.runtime.device, 'wasm');
      assert.is(model.deterministic, true);
      assert.ok(model.memory.weights > 0 && model.memory.kvCache > 0);
      assert.is(model.kvBytesInUse, 0);
    }));
}

test('load from a Blob', async () => {
  const bytes = modelBytes('int4').slice() as Uint8Array<ArrayBuffer>;
  const model = await loadModel(new Blob([bytes]), { threads: 1 });
  assert.is(model.config.vocabSize, 300);
  await model.dispose();
});

test('load takes what the runtime offers and gives a reason for the rest', async () => {
  const bytes = modelBytes('int8');
  const model = await loadModel(bytes, { threads: 2 }).catch(async (error) => {
    await rejects(() => Promise.reject(error), 'OPTION', '2 threads', "'auto'");
    return loadModel(bytes, { threads: 'auto' });
  });
  const { simd, threads, refusals } = model.runtime;
  await model.dispose();
  Object.assign(findings.features, { simd, threads: threads > 1, refusals });
  const refused = (what: RegExp) => refusals.some((reason) => what.test(reason));
  assert.is(refused(/relaxed/), simd === 'baseline', refusals.join('; '));
  assert.is(refused(/threads|shared/), threads === 1, refusals.join('; '));
});

test('the runtime tells what it can do', async () => {
  const { runtime, choice, builds } = await reportRuntime();
  findings.features.runtime = `${runtime.name} ${runtime.version}`;
  assert.is(choice.simd, findings.features.simd);
  assert.is(builds.simd, null);
  assert.is(builds.relaxed === null, findings.features.simd === 'relaxed');
  assert.is(builds['simd.shared'] === null, findings.features.threads);
});

test('relaxed SIMD that was asked for is there or refused', async () => {
  if (findings.features.simd === 'relaxed') {
    await withModel('int4', { simd: 'relaxed' }, async ({ runtime }) => {
      assert.is(runtime.simd, 'relaxed');
    });
  } else {
    await rejects(() => loadModel(modelBytes('int4'), { simd: 'relaxed' }), 'OPTION', 'relaxed');
  }
});

test('loading tells its progress', async () => {
  const seen: number[] = [];
  const model = await loadModel(modelBytes('float'), {
    threads: 1,
    onProgress: ({ stage, done, total }) => {
      if (stage === 'weights') seen.push(done / total);
    },
  });
  await model.dispose();
  assert.ok(seen.length > 1);
  assert.is(seen.at(-1), 1);
  assert.ok(seen.every((part, i) => part >= (seen[i - 1] ?? 0)));
});

test('a load that was stopped before it began', async () => {
  const reason = new Error('no');
  const signal = AbortSignal.abort(reason);
  assert.is(await thrownBy(() => loadModel(modelBytes('float'), { signal })), reason);
});

test('a load that is stopped halfway', async () => {
  const reason = new Error('enough');
  const controller = new AbortController();
  const onProgress = () => controller.abort(reason);
  const { signal } = controller;
  const error = await thrownBy(() => loadModel(modelBytes('float'), { signal, onProgress }));
  assert.is(error, reason);
});

test('a load that is stopped by its last progress', async () => {
  const reason = new Error('too late is never');
  const controller = new AbortController();
  const onProgress = ({ done, total }: { done: number; total: number }) => {
    if (done === total) controller.abort(reason);
  };
  const { signal } = controller;
  const error = await thrownBy(() => loadModel(modelBytes('float'), { signal, onProgress }));
  assert.is(error, reason);
});

test('options out of range', async () => {
  const bytes = modelBytes('float');
  await rejects(() => loadModel(bytes, { threads: 0 }), 'OPTION', 'threads', '0');
  await rejects(() => loadModel(bytes, { kvCacheBytes: -1 }), 'OPTION', 'kvCacheBytes', '-1');
});
