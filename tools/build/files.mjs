// Files of the project, and the memory of what a stage of the build has made from them.

import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..');
const STAMPS = join(ROOT, 'build', '.stamps');

/**
 * Files below `folder`, relative to the root, sorted, those of packages aside; none if there is no such folder.
 * @param {string} folder
 * @param {RegExp} name
 * @returns {string[]}
 */
export function filesBelow(folder, name) {
  const path = join(ROOT, folder);
  if (!existsSync(path)) return [];
  const entries = readdirSync(path, { withFileTypes: true });
  const files = entries.flatMap((entry) => {
    if (entry.isFile()) return name.test(entry.name) ? [join(folder, entry.name)] : [];
    if (!entry.isDirectory() || entry.name === 'node_modules') return [];
    return filesBelow(join(folder, entry.name), name);
  });
  return files.sort();
}

/**
 * One stage: `make` runs unless `outputs` exist and `inputs` are as they were when it last succeeded.
 * @param {{ name: string, inputs: string[], outputs: string[], make: () => Promise<void> }} stage
 */
export async function runStage({ name, inputs, outputs, make }) {
  const stamp = join(STAMPS, name);
  const state = inputs.map(fileState).join('\n');
  const known = existsSync(stamp) && readFileSync(stamp, 'utf8') === state;
  if (known && outputs.every((path) => existsSync(join(ROOT, path)))) return;
  await make();
  mkdirSync(STAMPS, { recursive: true });
  writeFileSync(stamp, state);
}

/** @param {string} path */
function fileState(path) {
  const { mtimeMs, size } = statSync(join(ROOT, path));
  return `${path} ${mtimeMs} ${size}`;
}
