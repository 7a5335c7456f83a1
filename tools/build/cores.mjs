// The core: one source, one module per target of asconfig.json.

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
const SIZE_LIMIT = 100_000;

export async function buildCores() {
  const { targets } = JSON.parse(readFileSync(join(ROOT, 'asconfig.json'), 'utf8'));
  const outputs = new Map(Object.keys(targets).map((name) => [name, targets[name].outFile]));
  await runStage({
    name: 'cores',
    inputs: [
      ...filesBelow('assembly', /\.ts$/),
      'asconfig.json',
      'package-lock.json',
      'tools/build/cores.mjs',
    ],
    outputs: [...outputs.values()],
    make: () => compileAll(outputs),
  });
}

/** @param {Map<string, string>} outputs */
async function compileAll(outputs) {
  process.stderr.write(`compiling the core, ${outputs.size} targets\n`);
  const waiting = [...outputs];
  const compileNext = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) await compile(...next);
  };
  await Promise.all(Array.from({ length: COMPILERS }, compileNext)).finally(() =>
    rmSync(join(ROOT, SCRATCH), { recursive: true, force: true }),
  );
  for (const output of outputs.values()) reportSize(output);
}

/**
 * Into a file of its own first: a reader never sees half a module.
 * @param {string} target
 * @param {string} output
 */
async function compile(target, output) {
  const folder = join(SCRATCH, target);
  const outFile = join(folder, 'core.wasm');
  mkdirSync(join(ROOT, folder), { recursive: true });
  try {
    await run(process.execPath, [ASC, '--target', target, '--outFile', outFile], { cwd: ROOT });
    if (!target.startsWith('debug')) {
      const words = [WASM_OPT, ...PASSES, ...FEATURES, outFile, '-o', outFile];
      await run(process.execPath, words, { cwd: ROOT });
    }
    renameSync(join(ROOT, outFile), join(ROOT, output));
  } catch (error) {
    const { stdout, stderr, message } = /** @type {any} */ (error);
    throw new Error(`[build] target ${target}: ${stdout ?? ''}${stderr || message}`);
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
