// The other build of a comparison: a folder that holds one, or a git revision, which is exported into
// .cache/builds/, built there once and kept by its commit.

import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './build/files.mjs';

const run = promisify(execFile);
const BUILDS = join(ROOT, '.cache', 'builds');
/** What the kernel benchmark asks of a build. Revisions from before it existed get this tree's. */
const CONTRACT = 'bench/kernel_set.ts';
const CONTRACT_FILES = [
  CONTRACT,
  'bench/one_op.ts',
  'bench/thread_reads.ts',
  'bench/read_thread.ts',
];

/**
 * @param {string} base a git revision, or a folder with a build/ in it
 * @returns {Promise<string>} the folder that holds its build/
 */
export async function baseBuild(base) {
  const folder = resolve(base);
  if (existsSync(folder)) {
    if (existsSync(join(folder, 'build', 'bindings', 'index.js'))) return folder;
    throw new Error(
      `[--compare] ${base}: expected a folder with a build, it has no build/bindings`,
    );
  }
  const commit = await commitOf(base);
  const kept = join(BUILDS, commit.slice(0, 12));
  if (existsSync(kept)) return kept;
  const temporary = `${kept}.${process.pid}.tmp`;
  try {
    process.stderr.write(`building ${base} (${commit.slice(0, 12)})\n`);
    await exportCommit(commit, temporary);
    await build(temporary);
    renameSync(temporary, kept);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return kept;
}

/** @param {string} base */
async function commitOf(base) {
  const name = `${base}^{commit}`;
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', name];
  const { stdout } = await run('git', args, { cwd: ROOT }).catch(() => {
    throw new Error(`[--compare] ${base}: neither a folder nor a git revision`);
  });
  return stdout.trim();
}

/**
 * @param {string} commit
 * @param {string} folder
 */
async function exportCommit(commit, folder) {
  await mkdir(folder, { recursive: true });
  const archive = join(folder, 'archive.tar');
  await run('git', ['archive', '--format=tar', `--output=${archive}`, commit], { cwd: ROOT });
  await run('tar', ['-xf', archive, '-C', folder]);
  rmSync(archive);
  if (existsSync(join(folder, CONTRACT))) return;
  for (const file of CONTRACT_FILES) copyFileSync(join(ROOT, file), join(folder, file));
}

/** With this tree's packages, if they are the same. @param {string} folder */
async function build(folder) {
  const lock = 'package-lock.json';
  const locks = [ROOT, folder].map((at) => readFileSync(join(at, lock), 'utf8'));
  if (locks[0] === locks[1]) {
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
  }
  const setup = spawn(process.execPath, [join('tools', 'setup.mjs')], {
    cwd: folder,
    stdio: ['ignore', 2, 2],
  });
  const [code] = await once(setup, 'exit');
  if (code !== 0) throw new Error(`[--compare] the build of the base failed with ${code}`);
}
