// The Python environment of tests/oracles, in .cache/oracles; made anew when the requirements change.

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';

export const CACHE = join(ROOT, '.cache', 'oracles');
export const ORACLES = join(ROOT, 'tests', 'oracles');

const REQUIREMENTS = join(ORACLES, 'requirements.txt');
const ENVIRONMENT = join(CACHE, 'environment');
/** A copy of the requirements that the environment was made from, put there when it is complete. */
const MADE_FROM = join(ENVIRONMENT, 'requirements.txt');

/**
 * The environment's Python.
 * @throws Error if there is no Python with venv, or a package cannot be installed
 */
export function setUpOracles() {
  const python = join(ENVIRONMENT, 'bin', 'python');
  if (!isMade()) {
    process.stderr.write('installing the oracles, Python packages of 190 MB\n');
    rmSync(ENVIRONMENT, { recursive: true, force: true });
    mkdirSync(CACHE, { recursive: true });
    run('python3', ['-m', 'venv', ENVIRONMENT]);
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-input'];
    run(python, ['-m', 'pip', 'install', ...quiet, '-r', REQUIREMENTS]);
    copyFileSync(REQUIREMENTS, MADE_FROM);
  }
  return python;
}

function isMade() {
  if (!existsSync(MADE_FROM)) return false;
  return readFileSync(MADE_FROM, 'utf8') === readFileSync(REQUIREMENTS, 'utf8');
}

/**
 * What it writes is shown only if it fails.
 * @param {string} command
 * @param {string[]} args
 */
export function run(command, args) {
  const { status, error, stdout, stderr } = spawnSync(command, args, {
    cwd: ORACLES,
    encoding: 'utf8',
    maxBuffer: 2 ** 26,
  });
  if (status === 0) return;
  const why = error?.message ?? `exit ${status}`;
  throw new Error(`[oracles] ${command} ${args.join(' ')}: ${why}\n${stdout ?? ''}${stderr ?? ''}`);
}
