// `node edge_host.mjs`: runs the suite in Vercel's edge runtime, where nothing may be compiled, and prints its
// report. Imported modules are compiled before the code runs, as Vercel's builds do.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { APP, bundleAll } from './app.mjs';

const ENTRY = `import { runSuite } from './suite.mjs';
addEventListener('fetch', (event) => {
  event.respondWith(runSuite().then((report) => Response.json(report)));
});
`;

const { EdgeRuntime } = createRequire(join(ROOT, 'tools', 'runtimes', 'package.json'))(
  'edge-runtime',
);
const files = await bundleAll({
  outfile: 'edge.js',
  entry: ENTRY,
  format: 'iife',
  conditions: ['edge-light'],
  wasm: (name) => ({ contents: `export default globalThis[${JSON.stringify(name)}];` }),
});
const runtime = new EdgeRuntime({
  codeGeneration: { strings: false, wasm: false },
  extend: (/** @type {Record<string, unknown>} */ context) => {
    for (const [name, file] of files) {
      context[name] = new WebAssembly.Module(readFileSync(file));
    }
    return context;
  },
  initialCode: readFileSync(join(APP, 'edge.js'), 'utf8'),
});
const response = await runtime.dispatchFetch('http://localhost/');
process.stdout.write(`REPORT ${await response.text()}\n`);
