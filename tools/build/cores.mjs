// The core: one source, one module per target of asconfig.json; and that of the fits, asconfig.fit.json.

import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { filesBelow, ROOT, runStage } from './files.mjs';

const run = promisify(execFile);
const ASC = join(ROOT, 'node_modules', 'assemblyscript', 'bin', 'asc.js');
/** Of the binaryen that the compiler brings along: its passes once more, until nothing changes. */
const WASM_OPT = join(ROOT, 'node_modules', 'binaryen', 'bin', 'wasm-opt');
const PASSES = ['-O3', '--converge'];
const FEATURES = [
  'bulk-memory',
  'mutable-globals',
  'nontrapping-float-to-int',
  'relaxed-simd',
  'sign-ext',
  'simd',
  'threads',
].map((feature) => `--enable-${feature}`);
/** Compilers at a time; each takes about 300 MB. */
const COMPILERS = 2;
const SCRATCH = join('build', `.asc-${process.pid}`);
/** A release core stays below this many bytes, so that a web page can afford it. */
const SIZE_LIMIT = 110_000;

const CONFIGS = ['asconfig.json', 'asconfig.fit.json'];

/** @typedef {{ config: string, name: string, output: string }} Target */

export async function buildCores() {
  const targets = CONFIGS.flatMap(targetsOf);
  await runStage({
    name: 'cores',
    inputs: [
      ...filesBelow('assembly', /\.ts$/),
      ...CONFIGS,
      'package-lock.json',
      'tools/build/cores.mjs',
    ],
    outputs: targets.map(({ output }) => output),
    make: () => compileAll(targets),
  });
}

/**
 * @param {string} config
 * @returns {Target[]}
 */
function targetsOf(config) {
  const { targets } = JSON.parse(readFileSync(join(ROOT, config), 'utf8'));
  return Object.keys(targets).map((name) => ({ config, name, output: targets[name].outFile }));
}

/** @param {Target[]} targets */
async function compileAll(targets) {
  process.stderr.write(`compiling the core, ${targets.length} targets\n`);
  const waiting = [...targets];
  const compileNext = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await compile(next);
  };
  await Promise.all(Array.from({ length: COMPILERS }, compileNext)).finally(() =>
    rmSync(join(ROOT, SCRATCH), { recursive: true, force: true }),
  );
  for (const { output } of targets) reportSize(output);
}

/**
 * Into a file of its own first: a reader never sees half a module.
 * @param {Target} target
 */
async function compile({ config, name, output }) {
  const folder = join(SCRATCH, name);
  const outFile = join(folder, 'core.wasm');
  mkdirSync(join(ROOT, folder), { recursive: true });
  try {
    const from = ['--config', config, '--target', name, '--outFile', outFile];
    await run(process.execPath, [ASC, ...from], { cwd: ROOT });
    if (!name.startsWith('debug')) {
      const words = [WASM_OPT, ...PASSES, ...FEATURES, outFile, '-o', outFile];
      await run(process.execPath, words, { cwd: ROOT });
    }
    renameSync(join(ROOT, outFile), join(ROOT, output));
  } catch (error) {
    const { stdout, stderr, message } = /** @type {any} */ (error);
    throw new Error(`[build] target ${name}: ${stdout ?? ''}${stderr || message}`);
  }
}

/** @param {string} output */
function reportSize(output) {
  const bytes = readFileSync(join(ROOT, output));
  const { length } = gzipSync(bytes, { level: 9 });
  process.stderr.write(`${output}: ${bytes.length} bytes, ${length} gzipped\n`);
  if (bytes.length > SIZE_LIMIT && !output.includes('debug')) {
    throw new Error(`[build] ${output}: ${bytes.length} bytes, limit ${SIZE_LIMIT}`);
  }
}
