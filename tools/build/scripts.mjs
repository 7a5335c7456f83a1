// TypeScript to JavaScript, file by file: nothing is bundled, so a stack trace names the source's own path.

import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { filesBelow, ROOT, runStage } from './files.mjs';

const run = promisify(execFile);
const TSC = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
const FOLDERS = ['bindings', 'tests', 'bench', 'tools'];
/** Not those that only declare. */
const SOURCE = /(?<!\.d)\.ts$/;
/** Of assembly/, what is plain TypeScript too. */
const SHARED = 'assembly/op_layout.ts';

export async function buildScripts() {
  const sources = [...FOLDERS.flatMap((folder) => filesBelow(folder, SOURCE)), SHARED];
  const outputs = sources.flatMap((source) => [built(source, '.js'), built(source, '.js.map')]);
  await runStage({
    name: 'scripts',
    inputs: [...sources, 'package-lock.json'],
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
    inputs: [...sources, 'tsconfig.json', 'tsconfig.declarations.json', 'package-lock.json'],
    outputs,
    make: async () => {
      await run(process.execPath, [TSC, '-p', 'tsconfig.declarations.json'], { cwd: ROOT }).catch(
        ({ stdout, message }) => {
          throw new Error(`[build] declarations: ${stdout || message}`);
        },
      );
      removeStale(/\.d\.ts$/, outputs);
    },
  });
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
    sourcesContent: false,
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
