// Threads that cannot be started, and threads that die or hang with a part of a step.

import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Core } from '../../bindings/executor/wasm/core.js';
import { WorkerPool } from '../../bindings/executor/wasm/threads.js';
import { loadModel, type Model } from '../../bindings/index.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ folder: string; model: string }>('failing threads');
const PROMPT = [1, 20, 21, 22];
const GREEDY = { temperature: 0, maxTokens: 6 };
const SCRIPT = new URL('../../bindings/executor/wasm/worker.js', import.meta.url);
const FAULTY = new URL('../support/faulty_worker.js', import.meta.url);
/** The event loop stood for 30 s once; this is far less, and more than a busy machine takes. */
const SOON_MS = 10_000;

test.before.each(async (context) => {
  context.folder = await mkdtemp(join(tmpdir(), 'halfbyte-failing-threads-'));
  context.model = await writeTinyLlama(context.folder);
});

test.after.each(({ folder }) => rm(folder, { recursive: true, force: true }));

/** As the system refuses a thread. */
function refusal(): Error {
  const error = new Error('Worker initialization failure: EAGAIN');
  return Object.assign(error, { code: 'ERR_WORKER_INIT_FAILED' });
}

/** Weight bytes times rows for which `threads: 'auto'` starts its workers. */
async function work(model: Model): Promise<void> {
  const session = await model.createSession();
  const tokens = Array.from({ length: session.contextLength }, () => 20);
  for (let done = 0; done < 300e6; done += tokens.length * model.memory.weights) {
    await session.truncate(0);
    await session.prefill(tokens);
  }
  await session.dispose();
}

test('a number of threads that cannot be had: a named error, and those that started end', async ({
  model,
}) => {
  const started: Worker[] = [];
  const worker = () => {
    if (started.length === 2) throw refusal();
    const one = new Worker(SCRIPT);
    started.push(one);
    return one;
  };
  const load = () => loadModel(model, { threads: 5, core: { worker } });
  await raises(load, 'WORKER', ['worker 3 of 4', 'EAGAIN', "threads: 'auto'"]);
  assert.is(started.length, 2);
  for (const { threadId } of started) assert.is(threadId, -1, 'it has ended');
});

test('what is no worker cannot be started either', async ({ model }) => {
  for (const worker of [() => undefined, () => ({})]) {
    await raises(() => loadModel(model, { threads: 2, core: { worker } }), 'WORKER', [
      'worker 1 of 1',
    ]);
  }
});

test('a number of threads of which one ends at once: the next step has a named error', async ({
  model,
}) => {
  const worker = () => new Worker('process.exit(7)', { eval: true });
  const loaded = await loadModel(model, { threads: 2, core: { worker } });
  const session = await loaded.createSession();
  const decode = async () => {
    for (;;) {
      await session.truncate(0);
      await session.decode(1);
    }
  };
  await raises(decode, 'WORKER', ['worker 1 of 1 could not be started', 'exit code 7']);
  await loaded.dispose();
});

for (const [name, worker] of [
  [
    'throws',
    () => {
      throw refusal();
    },
  ],
  ['ends at once', () => new Worker('process.exit(0)', { eval: true })],
  ['fails', () => new Worker('throw new Error("no start")', { eval: true })],
] as const) {
  test(`'auto' goes on without a thread that ${name}, and says so`, async ({ model }) => {
    const alone = await loadModel(model, { threads: 1 });
    const expected = await alone.complete(PROMPT, GREEDY);
    await alone.dispose();
    const loaded = await loadModel(model, { threads: 'auto', core: { worker } });
    const { threads } = loaded.runtime;
    if (threads === 1) console.log('not tested: this machine has one processor');
    await work(loaded);
    // The threads' ends are told in time.
    for (let waited = 0; loaded.runtime.threads > 1 && waited < SOON_MS; waited += 10) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.is(loaded.runtime.threads, 1);
    const missing = new RegExp(`threads: ${threads - 1} of ${threads - 1} workers could not`);
    if (threads > 1) assert.match(loaded.runtime.refusals.join('\n'), missing);
    assert.equal((await loaded.complete(PROMPT, GREEDY)).tokens, expected.tokens);
    await loaded.dispose();
  });
}

test('what the system refuses to one thread it is not asked for again', () => {
  const core = { stop_workers: () => {} } as unknown as Core;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  let asked = 0;
  const starter = () => {
    asked++;
    throw refusal();
  };
  const told: unknown[] = [];
  const onMissing = (count: number, cause: unknown) => told.push(count, String(cause));
  const pool = new WorkerPool(5, core, module, memory, 0, starter, onMissing);
  pool.check();
  assert.is(asked, 1);
  assert.equal(told, [5, String(refusal())]);
});

/** A model whose one worker holds a chunk that it will not finish. */
async function withFaultyWorker(
  path: string,
  how: 'dies' | 'hangs',
  run: (model: Model, worker: Worker) => Promise<void>,
): Promise<void> {
  const faulty = new Worker(FAULTY, { workerData: how });
  const model = await loadModel(path, { threads: 2, core: { worker: () => faulty } });
  await once(faulty, 'message');
  await run(model, faulty);
  await model.dispose();
}

test('a thread that dies with a part of a step: a named error, while timers go on', ({ model }) =>
  withFaultyWorker(model, 'dies', async (loaded) => {
    const started = performance.now();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    await raises(() => loaded.complete(PROMPT, GREEDY), 'WORKER', ['a worker thread died']);
    clearInterval(timer);
    assert.ok(ticks > 0, 'the event loop stood still');
    assert.ok(performance.now() - started < SOON_MS);
    await raises(() => loaded.complete(PROMPT, GREEDY), 'WORKER', ['a worker thread died']);
    assert.is(loaded.kvBytesInUse, 0);
  }));

test('while a thread holds up a step, a call can be aborted', ({ model }) =>
  withFaultyWorker(model, 'hangs', async (loaded, worker) => {
    const session = await loaded.createSession();
    const reason = new Error('enough');
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 100);
    const error = await session.prefill(PROMPT, { signal: stop.signal }).catch((thrown) => thrown);
    assert.is(error, reason);
    assert.is(session.length, 0);
    assert.ok(loaded.kvBytesInUse > 0, 'the thread may still write into the pages');
    const later = session.prefill(PROMPT).catch((thrown) => thrown);
    await worker.terminate();
    assert.is((await later).code, 'WORKER');
    assert.is(loaded.kvBytesInUse, 0);
  }));

test('a thread that goes without a word is given up in the end', async () => {
  let runs = 0;
  const core = { run_plan: () => Number(++runs > 5000), stop_workers: () => {} };
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const pool = new WorkerPool(0, core as unknown as Core, module, memory, 0, null);
  await raises(() => pool.finishStep(), 'WORKER', ['left its part of a step undone']);
});

test('a thread that works on is not given up', async () => {
  let runs = 0;
  const memory = new WebAssembly.Memory({ initial: 1 });
  const words = new Uint32Array(memory.buffer);
  const core = {
    run_plan: () => {
      words[0] = ++runs >> 8;
      return Number(runs > 5000);
    },
  };
  const module = new WebAssembly.Module(Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const pool = new WorkerPool(0, core as unknown as Core, module, memory, 0, null);
  await pool.finishStep();
  assert.is(runs, 5001);
});

test.run();
