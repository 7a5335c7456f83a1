// `npm run fuzz [-- options]`: set-up, then the fuzzer; docs/fuzzing.md has the options. `--node 24` runs it in that
// Node of tools/runtimes.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './build/files.mjs';
import { setUp, setUpEveryRuntime } from './setup.mjs';

/** @param {string} version */
function nodeOf(version) {
  const path = join(ROOT, 'tools', 'runtimes', 'node_modules', `node${version}`, 'bin', 'node');
  if (!existsSync(path)) setUpEveryRuntime();
  if (existsSync(path)) return path;
  throw new Error(`[--node] ${version}: ${path} is not there`);
}

/**
 * Takes `--node VERSION` out of the words.
 * @param {string[]} words
 * @returns {{ node: string, rest: string[] }}
 */
function chooseNode(words) {
  const at = words.indexOf('--node');
  if (at < 0) return { node: process.execPath, rest: words };
  const version = words[at + 1];
  if (!version) throw new Error('[--node] expected a version such as 24, came none');
  return { node: nodeOf(version), rest: [...words.slice(0, at), ...words.slice(at + 2)] };
}

try {
  await setUp();
  const { node, rest } = chooseNode(process.argv.slice(2));
  const script = join(ROOT, 'build', 'tests', 'fuzz', 'main.js');
  const fuzzer = spawn(node, ['--enable-source-maps', script, ...rest], { stdio: 'inherit' });
  fuzzer.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`);
  process.exitCode = 1;
}
