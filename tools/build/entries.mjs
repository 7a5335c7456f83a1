// What the entries of package.json have beside modules. For `require('halfbyte')`: scripts that hand on the modules,
// which Node 20.19 and newer lets them, and declarations, as TypeScript tells the two kinds apart; nothing is there
// twice, classes are the same. For imported cores: their type.

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { filesBelow, ROOT, runStage } from './files.mjs';

const INDEX = 'build/bindings/index';
const COMPRESS = 'build/bindings/compress/index';
const INLINE = 'build/inline/node';
const WORKER = 'build/bindings/executor/wasm/worker';
const CORE_FILE = 'build/core_file.d.cts';
const CORE_TYPE = `/** What the host or the bundler makes of the file: the option \`core\` takes it. */
declare const core: import('./bindings/index.js', { with: { 'resolution-mode': 'import' } }).CoreSource;
export = core;
`;

/** After bundles. */
export async function buildEntries() {
  await runStage({
    name: 'entries',
    inputs: [...filesBelow('bindings', /\.ts$/), 'tools/build/entries.mjs'],
    outputs: [
      ...[INDEX, COMPRESS, INLINE, WORKER].map((entry) => `${entry}.cjs`),
      ...[INDEX, COMPRESS, WORKER].map((entry) => `${entry}.d.cts`),
      CORE_FILE,
    ],
    make: async () => {
      for (const entry of [INDEX, COMPRESS, INLINE]) {
        write(`${entry}.cjs`, `module.exports = require('./${basename(entry)}.js');\n`);
      }
      for (const entry of [INDEX, COMPRESS]) write(`${entry}.d.cts`, await declarations(entry));
      // A module that awaits cannot be required. As a thread's script this is as good.
      write(`${WORKER}.cjs`, `import('./worker.js');\n`);
      write(`${WORKER}.d.cts`, 'export {};\n');
      write(CORE_FILE, CORE_TYPE);
    },
  });
}

/**
 * All types of a module, and its values, classes being both.
 * @param {string} entry
 */
async function declarations(entry) {
  const mode = `with: { 'resolution-mode': 'import' }`;
  const from = `./${basename(entry)}.js`;
  /** @type {Record<string, unknown>} */
  const values = await import(pathToFileURL(join(ROOT, `${entry}.js`)).href);
  const lines = Object.entries(values).flatMap(([name, value]) => [
    `export declare const ${name}: Module['${name}'];`,
    ...(isClass(value) ? [`export type ${name} = import('${from}', { ${mode} }).${name};`] : []),
  ]);
  return [
    `type Module = typeof import('${from}', { ${mode} });`,
    `export type * from '${from}' ${mode.replace(':', '')};`,
    ...lines,
    '',
  ].join('\n');
}

/** @param {unknown} value */
function isClass(value) {
  return (
    typeof value === 'function' &&
    Object.getOwnPropertyDescriptor(value, 'prototype')?.writable === false
  );
}

/**
 * @param {string} path
 * @param {string} text
 */
function write(path, text) {
  const full = join(ROOT, path);
  mkdirSync(dirname(full), { recursive: true });
  writeFileSync(full, text);
}
