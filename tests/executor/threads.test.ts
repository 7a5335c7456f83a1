// Worker threads of a model: idle ones sleep, a dead one is reported, all are gone after dispose.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Worker } from 'node:worker_threads';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Core } from '../../bindings/executor/wasm/core.js';
import { WorkerPool } from '../../bindings/executor/wasm/threads.js';
import { loadModel, type Model } from '../../bindings/index.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const THREADS = 3;
const PROMPT = [1, 20, 21, 22];

/** Loads a model on THREADS threads and hands over the workers that were started for it. */
async function withModel(
  work: (model: Model, workers: Set<Worker>) => Promise<void>,
  threads: number | 'auto' = THREADS,
) {
  const folder = await mkdtemp(join(tmpdir(), 'halfbyte-threads-'));
  const workers = new Set<Worker>();
  const onWorker = (worker: Worker) => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  };
  process.on('worker', onWorker);
  try {
    const model = await loadModel(await writeTinyLlama(folder), { threads });
    await model.complete(PROMPT, { maxTokens: 4, temperature: 0 });
    await work(model, workers);
    await model.dispose();
    assert.is(workers.size, 0, 'dispose ends all workers');
  } finally {
    process.off('worker', onWorker);
    await rm(folder, { recursive: true, force: true });
  }
}

test('idle workers use no processor time', () =>
  withModel(async (_, workers) => {
    assert.is(workers.size, THREADS - 1);
    await sleep(200);
    const before = process.cpuUsage();
    await sleep(500);
    const { user, system } = process.cpuUsage(before);
    // A single spinning worker would take 500 ms.
    const busy = (user + system) / 1000;
    assert.ok(busy < 100, `${busy} ms of 500`);
  }));

test('the death of a worker is a WorkerError, and dispose still frees the rest', () =>
  withModel(async (model, workers) => {
    const [first] = workers;
    await first?.terminate();
    await sleep(50);
    try {
      await model.complete(PROMPT, { maxTokens: 4 });
      assert.unreachable('a step ran without its worker');
    } catch (error) {
      assert.is((error as { code?: string }).code, 'WORKER');
      // It may have been on its way to its first step only.
      assert.match(
        (error as Error).message,
        /a worker thread died|worker \d of 2 could not be started/,
      );
    }
  }));

test('the death of a worker leaves other models alone', () =>
  withModel(async (other) =>
    withModel(async (_, workers) => {
      const [first] = workers;
      await first?.terminate();
      await sleep(50);
      const { tokens } = await other.complete(PROMPT, { maxTokens: 4, temperature: 0 });
      assert.is(tokens.length, 4);
    }),
  ));

test('threads that nobody asked for start when there is work for them', () =>
  withModel(async (model, workers) => {
    const { threads } = model.runtime;
    assert.is(workers.size, 0, 'after a few tokens');
    const session = await model.createSession();
    const tokens = Array.from({ length: session.contextLength }, () => 20);
    // Weight bytes times rows: as much as a small model's long text.
    for (let work = 0; work < 300e6; work += tokens.length * model.memory.weights) {
      await session.truncate(0);
      await session.prefill(tokens);
    }
    assert.is(workers.size, threads - 1);
    await session.dispose();
  }, 'auto'));

test('a step that was left undone fails all later ones', () => {
  const core = { stop_workers: () => {} } as unknown as Core;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const pool = new WorkerPool(0, core, module, memory, 0, null);
  pool.check();
  pool.fail('stuck');
  assert.throws(
    () => pool.check(),
    (error: { code?: string }) => error.code === 'WORKER',
  );
});

test('a load from bytes in memory can be aborted on the way', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'halfbyte-abort-'));
  try {
    const large = { vocabSize: 24_000, hiddenSize: 288, intermediateSize: 768, tied: false };
    await writeTinyLlama(folder, large);
    const names = ['config.json', 'model.safetensors'];
    const read = async (name: string) => [name, await readFile(join(folder, name))] as const;
    const files = Object.fromEntries(await Promise.all(names.map(read)));
    const stop = new AbortController();
    const stages = new Set<string>();
    const loading = loadModel(files, {
      threads: 1,
      signal: stop.signal,
      // Not from here: a timer's task must get its turn.
      onProgress: ({ stage, done, total }) => {
        if (stages.size === 0) setImmediate(() => stop.abort(new Error('enough')));
        stages.add(stage);
        assert.ok(done < total, 'the whole file was read before the abort');
      },
    });
    await loading.then(
      () => assert.unreachable('loaded in spite of the abort'),
      (error: Error) => assert.is(error.message, 'enough'),
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});

test.run();
