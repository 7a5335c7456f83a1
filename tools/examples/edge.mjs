// examples/edge in workerd: bundled by esbuild, run by miniflare, the model behind a binding that knows ranges.

import { existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { expect } from './checks.mjs';
import { PROMPT } from './clis.mjs';
import { APP } from './prepare.mjs';

const OUT = join(APP, 'edge', 'dist');
const ISOLATE_BYTES = 128 * 1024 * 1024;
/** A reply that takes longer hangs. */
const TIME_LIMIT_MS = 60_000;

/**
 * @param {import('./checks.mjs').Checks} checks
 * @param {{ model: string, story: string }} options story: what Node makes of the same prompt
 */
export async function checkEdge(checks, { model, story }) {
  await bundleWorker();
  const assets = new Assets(model);
  const runtimes = join(ROOT, 'tools', 'runtimes', 'package.json');
  const { Miniflare, Response } = createRequire(runtimes)('miniflare');
  const miniflare = new Miniflare({
    compatibilityDate: '2026-04-01',
    modules: modules(),
    bindings: { MODEL_URL: 'http://assets/model.safetensors' },
    serviceBindings: {
      ASSETS: (/** @type {Request} */ request) => assets.answer(request, Response),
    },
  });
  const get = (/** @type {string} */ path, /** @type {AbortSignal[]} */ ...signals) => {
    const signal = AbortSignal.any([AbortSignal.timeout(TIME_LIMIT_MS), ...signals]);
    return miniflare.dispatchFetch(`http://edge${path}`, { signal });
  };
  const path = `/?prompt=${encodeURIComponent(PROMPT)}`;
  try {
    await checks.check('edge: streams the story that Node tells', async () => {
      const { text, parts } = await readStream(await get(path));
      expect(text === story, `expected ${JSON.stringify(story)}, came ${JSON.stringify(text)}`);
      expect(parts > 10, `expected a stream, came ${parts} parts`);
      return `${parts} parts`;
    });
    await checks.check('edge: takes less than 128 MB', async () => {
      const memory = await (await get('/memory')).json();
      const { weights, arena, kvCache, mostBytes } = memory;
      expect(mostBytes < ISOLATE_BYTES, `${mostBytes} bytes`);
      expect(mostBytes > weights + arena + kvCache, `${JSON.stringify(memory)}`);
      return `${(mostBytes / 1e6).toFixed(1)} MB at most, ${memory.runtime.simd} SIMD`;
    });
    await checks.check('edge: reads the model by ranges', () => {
      const largest = Math.max(...assets.asked);
      expect(assets.asked.length > 1, `${assets.asked.length} requests`);
      expect(largest < statSync(model).size / 2, `${largest} bytes in one request`);
      return `${assets.asked.length} requests of ${largest} bytes or less`;
    });
    await checks.check('edge: a reader that leaves costs no memory', async () => {
      const leave = new AbortController();
      const response = await get(path, leave.signal);
      await response.body.getReader().read();
      leave.abort();
      for (let i = 0; ; i++) {
        const { kvBytesInUse } = await (await get('/memory')).json();
        if (kvBytesInUse === 0) break;
        expect(i < 100, `${kvBytesInUse} bytes of KV pages are still held`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      const { text } = await readStream(await get(path));
      expect(text === story, `the next reader got ${JSON.stringify(text)}`);
    });
    await checks.check('edge: two readers at once', async () => {
      const texts = await Promise.all([get(path), get(path)].map(async (r) => (await r).text()));
      expect(
        texts.every((text) => text === story),
        JSON.stringify(texts),
      );
    });
    await checks.check('edge: refuses a wrong call', async () => {
      const response = await get('/?tokens=none');
      const text = await response.text();
      expect(response.status === 400 && /maxTokens/.test(text), `${response.status}: ${text}`);
    });
  } finally {
    await miniflare.dispose();
  }
}

async function bundleWorker() {
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: APP,
    entryPoints: ['edge/worker.js'],
    outdir: OUT,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker'],
    target: 'es2022',
    loader: { '.wasm': 'copy' },
    assetNames: '[name]',
    logLevel: 'warning',
  });
}

/** The script first. */
function modules() {
  const cores = readdirSync(OUT).filter((name) => name.endsWith('.wasm'));
  const contents = readFileSync(join(OUT, 'worker.js'), 'utf8');
  return [
    { type: 'ESModule', path: 'worker.js', contents },
    ...cores.map((name) => {
      return { type: 'CompiledWasm', path: name, contents: readFileSync(join(OUT, name)) };
    }),
  ];
}

/** @param {Response} response */
async function readStream(response) {
  expect(response.ok && response.body, `HTTP ${response.status}: ${await errorText(response)}`);
  const decoder = new TextDecoder();
  let text = '';
  let parts = 0;
  for await (const part of response.body) {
    text += decoder.decode(part, { stream: true });
    parts++;
  }
  return { text, parts };
}

/** @param {Response} response */
async function errorText(response) {
  return response.ok ? '' : (await response.text()).slice(0, 1000);
}

/** One file behind a service binding; what is asked for by range is counted. */
class Assets {
  /** Bytes of each answer. @type {number[]} */
  asked = [];
  #file;
  #size;

  /** @param {string} path */
  constructor(path) {
    expect(existsSync(path), `missing: ${path}`);
    this.#file = openSync(path, 'r');
    this.#size = statSync(path).size;
  }

  /**
   * @param {Request} request
   * @param {typeof Response} Answer
   */
  answer(request, Answer) {
    if (new URL(request.url).pathname !== '/model.safetensors') {
      return new Answer(null, { status: 404 });
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.get('range') ?? '');
    const start = Number(range?.[1] ?? 0);
    const end = Math.min(Number(range?.[2] ?? Number.POSITIVE_INFINITY), this.#size - 1);
    const bytes = new Uint8Array(end - start + 1);
    readSync(this.#file, bytes, 0, bytes.length, start);
    this.asked.push(bytes.length);
    return new Answer(bytes, {
      status: range ? 206 : 200,
      headers: { 'Content-Range': `bytes ${start}-${end}/${this.#size}` },
    });
  }
}
