// `npm run build`: assembly/ becomes build/core.*.wasm, each TypeScript file one JavaScript file of the same
// path under build/, bindings/ their declarations; then what is shipped in one piece, and CommonJS's entries.
// What is up to date is left alone.

import { pathToFileURL } from 'node:url';
import { buildBundles } from './build/bundles.mjs';
import { buildCores } from './build/cores.mjs';
import { checkEdgeSize } from './build/edge_size.mjs';
import { buildEntries } from './build/entries.mjs';
import { filesBelow } from './build/files.mjs';
import { buildDeclarations, buildScripts } from './build/scripts.mjs';

/** Builds what has changed. */
export async function build() {
  await Promise.all([buildCores(), buildScripts(), buildDeclarations()]);
  await buildBundles();
  await buildEntries();
  await checkEdgeSize([...filesBelow('bindings', /\.ts$/), 'asconfig.json', 'package.json']);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  await build().catch((error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
}
