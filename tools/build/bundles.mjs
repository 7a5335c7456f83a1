// What is shipped in one piece: for browsers, which resolve no package names, the page's and the worker's
// script; for hosts that cannot place files beside a script, `halfbyte/inline` with everything in it; and the
// command line, which starts sooner so. (It lies as deep as in bindings/: it finds the cores by its own place.)

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { filesBelow, ROOT, runStage } from './files.mjs';

const CORES = ['simd', 'simd.shared', 'relaxed', 'relaxed.shared'];
const CORE_FILES = CORES.map((build) => `build/core.${build}.wasm`);
const OUTPUTS = [
  'browser/index',
  'browser/worker',
  'inline/browser',
  'inline/node',
  'bundled/cli/program',
].map((name) => `build/${name}.js`);

/** After scripts and cores. */
export async function buildBundles() {
  const scripts = [...filesBelow('bindings', /(?<!\.d)\.ts$/), 'assembly/op_layout.ts'];
  await runStage({
    name: 'bundles',
    inputs: [...scripts, ...CORE_FILES, 'tools/build/bundles.mjs', 'package.json'],
    outputs: OUTPUTS,
    make: async () => {
      await bundle('build/bindings/index.browser.js', 'build/browser/index.js', 'browser');
      const pageWorker = 'build/browser/worker.js';
      await bundle('build/bindings/remote/worker.js', pageWorker, 'browser');
      await bundle('build/bindings/inline/browser.js', 'build/inline/browser.js', 'browser', {
        worker: readFileSync(join(ROOT, pageWorker), 'utf8'),
      });
      const thread = await bundle('build/bindings/executor/wasm/worker.js', null, 'node');
      await bundle('build/bindings/inline/node.js', 'build/inline/node.js', 'node', {
        worker: thread,
      });
      await bundle('build/bindings/cli/program.js', 'build/bundled/cli/program.js', 'node');
      for (const output of OUTPUTS) reportSize(output);
    },
  });
}

/**
 * @param {string} entry
 * @param {string | null} outfile null: only returned
 * @param {'browser' | 'node'} platform
 * @param {{ worker: string }} [inline] what `#inline-assets` holds
 * @returns {Promise<string>}
 */
async function bundle(entry, outfile, platform, inline) {
  const { build } = await import('esbuild');
  const { outputFiles } = await build({
    absWorkingDir: ROOT,
    entryPoints: [entry],
    outfile: outfile ?? 'build/unused.js',
    write: false,
    bundle: true,
    format: 'esm',
    platform,
    target: 'es2022',
    minify: true,
    keepNames: true,
    legalComments: 'inline',
    tsconfigRaw: '{}',
    plugins: inline ? [inlineAssets(inline.worker)] : [],
    logLevel: 'warning',
  });
  const text = /** @type {import('esbuild').OutputFile} */ (outputFiles[0]).text;
  if (outfile !== null) writeWhole(outfile, text);
  return text;
}

/**
 * @param {string} worker
 * @returns {import('esbuild').Plugin}
 */
function inlineAssets(worker) {
  const cores = CORES.map((build, i) => {
    const bytes = readFileSync(join(ROOT, /** @type {string} */ (CORE_FILES[i])));
    return [build, bytes.toString('base64')];
  });
  const contents =
    `export const CORES = ${JSON.stringify(Object.fromEntries(cores))};\n` +
    `export const WORKER = ${JSON.stringify(worker)};\n`;
  return {
    name: 'inline-assets',
    setup(build) {
      build.onResolve({ filter: /^#inline-assets$/ }, () => ({
        path: 'assets',
        namespace: 'inline',
      }));
      build.onLoad({ filter: /.*/, namespace: 'inline' }, () => ({ contents, loader: 'js' }));
      build.onResolve({ filter: /\/default_worker\.js$/ }, () => ({
        path: join(ROOT, 'build', 'bindings', 'inline', 'blob_worker.js'),
      }));
    },
  };
}

/**
 * @param {string} path
 * @param {string} text
 */
function writeWhole(path, text) {
  const full = join(ROOT, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(`${full}.${process.pid}`, text);
  renameSync(`${full}.${process.pid}`, full);
}

/** @param {string} output */
function reportSize(output) {
  const bytes = readFileSync(join(ROOT, output));
  const { length } = gzipSync(bytes, { level: 9 });
  process.stderr.write(`${output}: ${bytes.length} bytes, ${length} gzipped\n`);
}
