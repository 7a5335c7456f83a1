// A Node program in the place of this one: its input, its output, its signals, its exit code.

import { spawn } from 'node:child_process';
import { constants } from 'node:os';

/**
 * Runs `node ...words`; what is typed and printed passes by this process.
 * @param {string[]} words
 * @returns {Promise<number>} the exit code, as a shell has it
 */
export function runInPlace(words) {
  const program = spawn(process.execPath, words, { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both; the program decides how to end. The others come to this process alone.
  process.on('SIGINT', () => {});
  for (const signal of /** @type {const} */ (['SIGTERM', 'SIGHUP'])) {
    process.on(signal, () => program.kill(signal));
  }
  return new Promise((resolve, reject) => {
    program.on('error', reject);
    program.on('exit', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}
