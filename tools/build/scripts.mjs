// TypeScript to JavaScript, file by file: nothing is bundled, so a stack trace names the source's own path.

import { execFile } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { filesBelow, ROOT, runStage } from './files.mjs';

const run = promisify(execFile);
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const FOLDERS = ['bindings', 'tests', 'bench', 'tools'];
/** Not those that only declare. */
const SOURCE = /(?<!\.d)\.ts$/;
/** Of assembly/, what is plain TypeScript too. */
const SHARED = 'assembly/op_layout.ts';
/** What declarations have instead of types of the DOM. */
const HOST_TYPES = 'build/bindings/platform/host_types';

export async function buildScripts() {
  const sources = [...FOLDERS.flatMap((folder) => filesBelow(folder, SOURCE)), SHARED];
  const outputs = sources.flatMap((source) => [built(source, '.js'), built(source, '.js.map')]);
  await runStage({
    name: 'scripts',
    inputs: [...sources, 'tools/build/scripts.mjs', 'package-lock.json'],
    outputs,
    make: async () => {
      await transpile(sources);
      removeStale(/\.js(\.map)?$/, outputs);
    },
  });
}

/** What `import 'halfbyte'` is typed by. */
export async function buildDeclarations() {
  const sources = [...filesBelow('bindings', SOURCE), SHARED];
  const outputs = sources.map((source) => built(source, '.d.ts'));
  await runStage({
    name: 'declarations',
    inputs: [
      ...sources,
      'tools/build/scripts.mjs',
      'tsconfig.json',
      'tsconfig.declarations.json',
      'package-lock.json',
    ],
    outputs,
    make: async () => {
      await run(process.execPath, [TSC, '-p', 'tsconfig.declarations.json'], { cwd: ROOT }).catch(
        ({ stdout, message }) => {
          throw new Error(`[build] declarations: ${stdout || message}`);
        },
      );
      removeStale(/\.d\.ts$/, outputs);
      importHostTypes(outputs);
    },
  });
}

/**
 * Programs without the DOM's types can use the declarations: what these name of it, they import.
 * @param {string[]} declarations
 */
function importHostTypes(declarations) {
  const host = readFileSync(join(ROOT, `${HOST_TYPES}.d.ts`), 'utf8');
  const names = [...host.matchAll(/^export (?:type|declare namespace) (\w+)/gm)].map((m) => m[1]);
  for (const path of declarations.filter((path) => path !== `${HOST_TYPES}.d.ts`)) {
    const text = readFileSync(join(ROOT, path), 'utf8');
    const code = text.replaceAll(/\/\*.*?\*\//gs, '');
    const used = names.filter((name) => new RegExp(`\\b${name}\\b`).test(code));
    if (used.length === 0) continue;
    const from = relative(dirname(path), HOST_TYPES).replaceAll('\\', '/');
    const line = `import type { ${used.join(', ')} } from './${from}.js';\n`;
    writeFileSync(join(ROOT, path), `${line}${text}`);
  }
}

/** @param {string[]} sources */
async function transpile(sources) {
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: ROOT,
    entryPoints: sources,
    outbase: '.',
    outdir: 'build',
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    sourcemap: 'linked',
    // The package has no TypeScript: a map holds its source itself.
    sourcesContent: true,
    logLevel: 'warning',
  });
}

/**
 * Removes what earlier sources left in build/.
 * @param {RegExp} name
 * @param {string[]} outputs
 */
function removeStale(name, outputs) {
  const wanted = new Set(outputs);
  for (const folder of [...FOLDERS, 'assembly']) {
    for (const path of filesBelow(join('build', folder), name)) {
      if (!wanted.has(path)) rmSync(join(ROOT, path));
    }
  }
}

/**
 * @param {string} source
 * @param {string} suffix
 */
function built(source, suffix) {
  return join('build', source.replace(/(?<!\.d)\.ts$/, suffix));
}
