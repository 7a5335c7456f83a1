// What generating costs an edge worker: the bundle of a program that only generates, core included. It must
// not carry what it does not use.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ROOT, runStage } from './files.mjs';

/** Bytes, gzipped. */
const BUDGET = 150_000;
const UNWANTED = /^build\/bindings\/(compress|cli|remote|inline)\//;
const PROGRAM = `
import { loadModel } from 'halfbyte';
export default {
  async fetch(request) {
    const model = await loadModel(new Uint8Array(await request.arrayBuffer()));
    const { text } = await model.complete('Once upon a time');
    return new Response(text);
  },
};
`;

/** @param {string[]} inputs files of build/ that the bundle is made of, at least those that change it */
export async function checkEdgeSize(inputs) {
  await runStage({ name: 'edge-size', inputs, outputs: [], make: measure });
}

async function measure() {
  const { build } = await import('esbuild');
  const { outputFiles, metafile } = await build({
    absWorkingDir: ROOT,
    stdin: { contents: PROGRAM, resolveDir: ROOT, sourcefile: 'edge.js' },
    write: false,
    outdir: 'build/edge-size',
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker'],
    target: 'es2022',
    tsconfigRaw: '{}',
    metafile: true,
    external: ['*.wasm'],
    logLevel: 'warning',
  });
  const unwanted = Object.keys(metafile.inputs).filter((path) => UNWANTED.test(path));
  if (unwanted.length > 0)
    throw new Error(`[build] the edge bundle carries ${unwanted.join(', ')}`);
  const script = gzipped(/** @type {import('esbuild').OutputFile} */ (outputFiles[0]).contents);
  const cores = ['simd', 'relaxed'].map((name) =>
    gzipped(readFileSync(join(ROOT, 'build', `core.${name}.wasm`))),
  );
  const total = cores.reduce((sum, size) => sum + size, script);
  process.stderr.write(
    `edge bundle: ${total} bytes gzipped (script ${script}, cores ${cores.join(' + ')}), budget ${BUDGET}\n`,
  );
  if (total > BUDGET)
    throw new Error(`[build] edge bundle: ${total} bytes gzipped, budget ${BUDGET}`);
}

/** @param {Uint8Array} bytes */
function gzipped(bytes) {
  return gzipSync(bytes, { level: 9 }).length;
}
