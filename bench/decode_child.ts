// A process that holds one model, loaded by one build, and measures what decode_process.ts asks for. Of the
// build it uses only the public interface, so that other revisions can be measured too.
//
//   node decode_child.js BUILD MODEL THREADS

import { closeSync, fstatSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runTrial } from '../bindings/cli/trial.js';
import type { Model, Session } from '../bindings/index.js';
import type { Loaded, Reply, Request, TrialResult } from './decode_process.js';

const [build = '', location = '', threads = ''] = process.argv.slice(2);
const { loadModel, Sampler }: typeof import('../bindings/index.js') = await import(
  pathToFileURL(join(build, 'bindings', 'index.js')).href
);
const greedy = new Sampler({ temperature: 0 });
const PIECE = 4 << 20;

let model: Model | null = null;
/** Holds the tokens that every trial starts from. */
let start: Session | null = null;

process.on('message', async (request: Request) => {
  const reply: Reply = await answer(request).then(
    (result) => ({ result }),
    (error) => ({ error: String(error) }),
  );
  process.send?.(reply);
});

async function answer(request: Request): Promise<Loaded | TrialResult | null> {
  if (request.kind === 'load') return load();
  if (!model) throw new Error(`[bench] ${request.kind} came before load`);
  if (request.kind === 'hold') {
    start = await model.createSession();
    await start.prefill(request.tokens);
    return null;
  }
  const session = start ? await start.fork() : await model.createSession();
  try {
    const trial = await runTrial(session, greedy, request.prompt, request.decodeTokens);
    return { ...trial, peakMemoryBytes: process.resourceUsage().maxRSS * 1024 };
  } finally {
    await session.dispose();
  }
}

/** Reads the model's bytes, then loads it in place of the one before. */
async function load(): Promise<Loaded> {
  await model?.dispose();
  model = null;
  start = null;
  const readMs = readPlainly();
  const started = performance.now();
  model = await loadModel(location, { threads: Number(threads) });
  const loadMs = performance.now() - started;
  const ran = model.runtime.threads;
  if (ran !== Number(threads)) throw new Error(`[bench] ${threads} threads wanted, ${ran} run`);
  const { vocabSize } = model.config;
  return { readMs, loadMs, vocabSize, simd: model.runtime.simd };
}

/** Milliseconds to read all weight files piece by piece into one buffer: the least that loading can take. */
function readPlainly(): number {
  const piece = new Uint8Array(PIECE);
  const started = performance.now();
  for (const path of weightFiles()) {
    const file = openSync(path, 'r');
    const { size } = fstatSync(file);
    for (let done = 0; done < size; ) done += readSync(file, piece, 0, PIECE, done);
    closeSync(file);
  }
  return performance.now() - started;
}

function weightFiles(): string[] {
  if (!statSync(location).isDirectory()) return [location];
  const names = readdirSync(location).filter((name) => name.endsWith('.safetensors'));
  return names.map((name) => join(location, name));
}
