// Where a package comes from: a repository of this tree's files, its archive, and projects that install one.

import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { run } from '../everywhere/processes.mjs';
import { expect } from '../examples/checks.mjs';
import { npmCommand } from '../npm.mjs';

const TIME_LIMIT_MS = 240_000;
const BRANCH = 'main';
const CONSUMER = join(ROOT, 'tools', 'package', 'consumer');
const COMMITTER = ['-c', 'user.name=halfbyte', '-c', 'user.email=halfbyte@localhost'];

/**
 * A repository of one commit: the files of this tree as they are now, those that git ignores aside.
 * @param {string} folder that it becomes
 */
export async function makeRepository(folder) {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const files = (await git(ROOT, list)).split('\0').filter((name) => name !== '');
  for (const name of files.filter((name) => existsSync(join(ROOT, name)))) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    cpSync(join(ROOT, name), join(folder, name));
  }
  await git(folder, ['init', '--quiet', `--initial-branch=${BRANCH}`]);
  await git(folder, ['add', '--all']);
  await git(folder, [...COMMITTER, 'commit', '--quiet', '--no-gpg-sign', '--message=all']);
}

/** What npm calls a repository on disk. @param {string} repository */
export function gitUrl(repository) {
  return `git+file://${repository}#${BRANCH}`;
}

/**
 * Packs a fresh clone, in which nothing was installed or built.
 * @param {string} repository
 * @param {string} clone the folder of the clone
 * @returns {Promise<string>} path of the archive
 */
export async function packClone(repository, clone) {
  await git(dirname(clone), ['clone', '--quiet', `file://${repository}`, clone]);
  const folder = `${clone}-packed`;
  mkdirSync(folder);
  await npm(clone, ['pack', `--pack-destination=${folder}`]);
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'));
  expect(archive, 'npm pack made no archive');
  return join(folder, archive);
}

/**
 * Two projects of a user, one of modules and one in CommonJS, with halfbyte from `origin`.
 * @param {string} folder
 * @param {string} origin what `npm install` takes
 * @returns {Promise<{ esm: string, commonjs: string }>} their folders
 */
export async function makeProjects(folder, origin) {
  const projects = { esm: join(folder, 'esm'), commonjs: join(folder, 'commonjs') };
  for (const project of Object.values(projects)) cpSync(CONSUMER, project, { recursive: true });
  const manifest = { private: true, type: 'module' };
  writeFileSync(join(projects.esm, 'package.json'), JSON.stringify(manifest));
  await npm(projects.esm, ['install', origin]);
  // npm would do the same again, and build again.
  cpSync(join(projects.esm, 'node_modules'), join(projects.commonjs, 'node_modules'), {
    recursive: true,
    verbatimSymlinks: true,
  });
  const commonjs = JSON.stringify({ ...manifest, type: 'commonjs' });
  writeFileSync(join(projects.commonjs, 'package.json'), commonjs);
  return projects;
}

/**
 * @param {string} cwd
 * @param {string[]} words
 */
async function npm(cwd, words) {
  const { command, args } = npmCommand([
    ...words,
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  await runOrThrow(cwd, command, args);
}

/**
 * @param {string} cwd
 * @param {string[]} args
 */
function git(cwd, args) {
  return runOrThrow(cwd, 'git', args);
}

/**
 * What a program prints. @throws if it fails
 * @param {string} cwd
 * @param {string} command
 * @param {string[]} args
 */
export async function runOrThrow(cwd, command, args) {
  const { code, stdout, stderr } = await run(command, args, { cwd, ms: TIME_LIMIT_MS });
  const words = [command, ...args].join(' ');
  expect(code === 0, `${words}: ended with ${code}\n${stdout.slice(-2000)}${stderr.slice(-2000)}`);
  return stdout;
}
