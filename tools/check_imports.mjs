// The layering of bindings/: a file imports only from lines above its own in the list below, so that the
// flow of the data reads from top to bottom. Inside a folder any direction is allowed, cycles are not.
// index.ts, which only re-exports, is exempt.

import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path/posix';
import { filesBelow, ROOT } from './build/files.mjs';

const LAYERS = [
  'errors',
  'options',
  'formats',
  'platform',
  'model',
  'plan',
  'trace',
  'executor',
  'session',
  'sampler',
  'text',
  'generate',
  'load',
  'inspect',
  'remote',
  'inline',
  'compress',
  'cli',
];
/** What of assembly/ may be imported, and from which layer on. */
const SHARED = 'assembly/op_layout';
const SHARED_FROM = 'executor';
const IMPORT = /^(?:import|export)\b[^;]*?\bfrom\s+'([^']+)'|\bimport\(\s*'([^']+)'\s*\)/gm;

const files = filesBelow('bindings', /(?<!\.d)\.ts$/).map((path) => path.replaceAll('\\', '/'));
const imports = new Map(files.map((file) => [withoutSuffix(file), importsOf(file)]));
const faults = [...imports.keys()].flatMap((file) => [...layerFaults(file), ...cycleFaults(file)]);

for (const fault of faults) process.stderr.write(`${fault}\n`);
process.stderr.write(`imports: ${files.length} files, ${faults.length} faults\n`);
process.exitCode = faults.length > 0 ? 1 : 0;

/**
 * Files of the project that a file imports, without suffix.
 * @param {string} file
 * @returns {string[]}
 */
function importsOf(file) {
  const source = readFileSync(join(ROOT, file), 'utf8');
  return [...source.matchAll(IMPORT)].flatMap(([, from, dynamic]) => {
    const name = /** @type {string} */ (from ?? dynamic);
    if (name === '#platform') return ['bindings/platform/node'];
    if (/\.wasm\b/.test(name) || name === '#inline-assets') return [];
    return name.startsWith('.') ? [withoutSuffix(normalize(join(dirname(file), name)))] : [];
  });
}

/**
 * @param {string} file
 * @returns {string[]}
 */
function layerFaults(file) {
  if (file === 'bindings/index' || file === 'bindings/index.browser') return [];
  const own = layerOf(file);
  if (own < 0) return [`${file}: in no layer of tools/check_imports.mjs`];
  return importsOfKnown(file).flatMap((imported) => {
    if (imported === SHARED) {
      return own < LAYERS.indexOf(SHARED_FROM) ? [`${file} imports ${imported}`] : [];
    }
    const layer = layerOf(imported);
    return layer < 0 || layer > own ? [`${file} imports ${imported}, which is below it`] : [];
  });
}

/**
 * Whether a file reaches itself.
 * @param {string} file
 * @returns {string[]}
 */
function cycleFaults(file) {
  const seen = new Set();
  const waiting = [...importsOfKnown(file)];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next === file) return [`${file} imports itself, by way of others`];
    if (seen.has(next)) continue;
    seen.add(next);
    waiting.push(...importsOfKnown(next));
  }
  return [];
}

/** @param {string} file */
function importsOfKnown(file) {
  return imports.get(file) ?? [];
}

/** @param {string} file */
function layerOf(file) {
  const [folder, name] = file.split('/');
  return folder === 'bindings' && name !== undefined ? LAYERS.indexOf(name) : -1;
}

/** @param {string} file */
function withoutSuffix(file) {
  return file.replace(/\.(js|ts)$/, '');
}
