// The suite as a user's program: the packed package in node_modules, the suite bundled beside it. What `npm
// pack` leaves out is missing here too.

import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { npmCommand } from '../npm.mjs';

export const APP = join(ROOT, 'build', 'everywhere');
/** Prints the report; does not call exit, so that a worker which is left running shows as a time-out. */
const MAIN = (/** @type {string} */ suite) => `import { runSuite } from './${suite}.mjs';
const report = await runSuite((name) => console.error(name));
console.log('REPORT ' + JSON.stringify(report));
`;

/** Without a bundler: the browser finds the package by an import map. */
const PAGE = (/** @type {string} */ suite) => `<!doctype html>
<meta charset="utf-8" />
<title>halfbyte</title>
<script type="importmap">
  {
    "imports": {
      "halfbyte": "/node_modules/halfbyte/build/browser/index.js",
      "halfbyte/inline": "/node_modules/halfbyte/build/inline/browser.js"
    }
  }
</script>
<script type="module">
  const post = (path, body) => fetch(path, { method: 'POST', body });
  addEventListener('error', ({ message }) => post('/heard', message));
  try {
    const { runSuite } = await import('./${suite}.mjs');
    const report = await runSuite((name) => post('/heard', name));
    await post('/report', JSON.stringify(report));
  } catch (error) {
    await post('/failed', \`\${error}: \${error.stack}\`);
  }
</script>
`;

export async function makeApp() {
  rmSync(APP, { recursive: true, force: true });
  installPackage(APP);
  const manifest = { private: true, type: 'module', dependencies: { halfbyte: '*' } };
  writeFileSync(join(APP, 'package.json'), JSON.stringify(manifest));
  // Bun would apply the "paths" of the project around it, to the package too.
  writeFileSync(join(APP, 'tsconfig.json'), '{}');
  await makeSuite('suite', 'halfbyte');
  await makeSuite('files', 'halfbyte', 'files_suite.ts');
  await makeSuite('inline', 'halfbyte/inline');
}

/**
 * The suite, and a script and a page that run it.
 * @param {string} name of the three files
 * @param {string} entry what the suite imports as `halfbyte`
 * @param {string} [source] below tests/everywhere
 */
async function makeSuite(name, entry, source = 'suite.ts') {
  writeFileSync(join(APP, `${name}_main.mjs`), MAIN(name));
  writeFileSync(join(APP, `${name}.html`), PAGE(name));
  await bundle({
    entryPoints: [join(ROOT, 'tests', 'everywhere', source)],
    outfile: join(APP, `${name}.mjs`),
    format: 'esm',
    external: [entry, 'node:*'],
    ...(entry !== 'halfbyte' && { alias: { halfbyte: entry } }),
    // The tests are imported for what they do, which package.json does not know.
    ignoreAnnotations: true,
  });
}

/**
 * Unpacks what `npm pack` makes, and copies the dependencies that it names.
 * @param {string} app folder of the program that uses it
 */
export function installPackage(app) {
  const folder = join(app, 'node_modules', 'halfbyte');
  mkdirSync(folder, { recursive: true });
  const { command, args, shell } = npmCommand([
    'pack',
    '--ignore-scripts',
    '--loglevel=error',
    '--json',
    `--pack-destination=${app}`,
  ]);
  const packed = spawnSync(command, args, { cwd: ROOT, shell, encoding: 'utf8' });
  if (packed.status !== 0) throw new Error(`[npm pack] ${packed.stderr}`);
  const archive = /halfbyte-[\w.-]+\.tgz/.exec(packed.stdout)?.[0] ?? '';
  const tar = spawnSync('tar', ['-xzf', join(app, archive), '-C', folder, '--strip-components=1']);
  if (tar.status !== 0) throw new Error(`[tar] ${tar.stderr}`);
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  for (const name of Object.keys(dependencies)) {
    cpSync(join(ROOT, 'node_modules', name), join(app, 'node_modules', name), { recursive: true });
  }
}

/**
 * @param {import('esbuild').BuildOptions} options
 */
export async function bundle(options) {
  const { build } = await import('esbuild');
  await build({
    absWorkingDir: APP,
    bundle: true,
    target: 'es2022',
    logLevel: 'warning',
    ...options,
  });
}

/**
 * The suite and the package as one file, for hosts that take nothing else.
 * @param {{ outfile: string, entry: string, format: 'esm' | 'iife', conditions: string[],
 *   wasm: (name: string) => import('esbuild').OnLoadResult | 'external' }} options entry: code that imports
 *   ./suite.mjs; wasm: what an imported `.wasm` file becomes
 * @returns {Promise<Map<string, string>>} paths of the imported `.wasm` files, by name
 */
export async function bundleAll({ outfile, entry, format, conditions, wasm }) {
  /** @type {Map<string, string>} */
  const files = new Map();
  await bundle({
    stdin: { contents: entry, resolveDir: APP, sourcefile: 'entry.mjs' },
    outfile: join(APP, outfile),
    format,
    conditions,
    platform: 'neutral',
    mainFields: ['module', 'main'],
    plugins: [
      {
        name: 'wasm',
        setup(build) {
          build.onResolve({ filter: /\.wasm(\?module)?$/ }, ({ path, importer }) => {
            const file = join(dirname(importer), path.replace(/\?.*/, ''));
            const name = basename(file);
            files.set(name, file);
            if (wasm(name) === 'external') return { path: `./${name}`, external: true };
            return { path: name, namespace: 'wasm' };
          });
          build.onLoad({ filter: /.*/, namespace: 'wasm' }, ({ path }) => {
            const loaded = wasm(path);
            return loaded === 'external' ? undefined : loaded;
          });
        },
      },
    ],
  });
  return files;
}
