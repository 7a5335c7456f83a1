// Test files, each in a process of its own.

import { spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { filesBelow, ROOT } from '../build/files.mjs';
import { LifeSigns } from './life_signs.mjs';

const PROCESSES = Math.min(2, availableParallelism());
/** A test file that takes longer hangs. */
const TIME_LIMIT_MS = 600_000;

/** @typedef {{ passed: number, failed: number }} Totals */

/**
 * Runs the files whose name contains one of `filters`, or all.
 * @param {string[]} filters
 * @param {Record<string, string>} [environment] that the files see besides this process's own
 * @returns {Promise<Totals>}
 */
export async function runTests(filters, environment = {}) {
  const files = filesBelow('tests', /\.test\.ts$/).filter(
    (file) => filters.length === 0 || filters.some((filter) => file.includes(filter)),
  );
  if (files.length === 0) throw new Error(`[test] no test file matches ${filters.join(', ')}`);
  const totals = { passed: 0, failed: 0 };
  const waiting = files.reverse();
  const runNext = async () => {
    for (let file = waiting.pop(); file; file = waiting.pop()) {
      const { passed, failed } = await runFile(file, environment);
      totals.passed += passed;
      totals.failed += failed;
    }
  };
  await Promise.all(Array.from({ length: PROCESSES }, runNext));
  return totals;
}

/**
 * @param {string} file
 * @param {Record<string, string>} environment
 * @returns {Promise<Totals>}
 */
async function runFile(file, environment) {
  const started = performance.now();
  const signs = new LifeSigns(file);
  const script = join('build', file.replace(/\.ts$/, '.js'));
  const { output, code } = await runNode(script, environment, (text) => signs.hear(text));
  signs.end();
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const passed = count(output, 'Passed');
  const failed = count(output, 'Total') - passed - count(output, 'Skipped');
  // A file that tests nothing must say why.
  const ended = code === 0 && (count(output, 'Total') > 0 || notes(output) !== '');
  const totals = { passed, failed: ended ? failed : Math.max(1, failed) };
  const verdict = totals.failed > 0 ? `, ${totals.failed} FAILED` : '';
  process.stdout.write(`${file}: ${passed} passed${verdict} (${seconds} s)\n`);
  if (totals.failed > 0) process.stdout.write(`${output}\nexit ${code}\n`);
  else process.stdout.write(notes(output));
  return totals;
}

/**
 * A number of uvu's summary; a file may have several, one for each suite.
 * @param {string} output
 * @param {string} word
 */
function count(output, word) {
  const lines = output.matchAll(new RegExp(`^ *${word}: +(\\d+)`, 'gm'));
  return [...lines].reduce((sum, [, number]) => sum + Number(number), 0);
}

/**
 * What a test that passes wants to be read: why something was skipped.
 * @param {string} output
 */
function notes(output) {
  return output
    .split('\n')
    .filter((line) => /skipped|not tested/i.test(line) && !/^ *Skipped: +\d/.test(line))
    .map((line) => `  ${line.trim()}\n`)
    .join('');
}

/**
 * @param {string} script
 * @param {Record<string, string>} environment
 * @param {(text: string) => void} onErrorText
 * @returns {Promise<{ output: string, code: number | string }>}
 */
function runNode(script, environment, onErrorText) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--enable-source-maps', script], {
      cwd: ROOT,
      env: { ...process.env, ...environment, FORCE_COLOR: '0', NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: TIME_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    let output = '';
    const keep = (/** @type {string} */ text) => {
      output += text;
    };
    child.stdout.setEncoding('utf8').on('data', keep);
    child.stderr.setEncoding('utf8').on('data', keep).on('data', onErrorText);
    child.on('close', (code, signal) => resolve({ output, code: code ?? signal ?? 'unknown' }));
  });
}
