// `node workerd_host.mjs`: runs the suite in workerd, by miniflare, and prints its report.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { APP, bundleAll } from './app.mjs';

const ENTRY = `import { runSuite } from './suite.mjs';
export default {
  async fetch() {
    return Response.json(await runSuite());
  },
};
`;

const { Miniflare } = createRequire(join(ROOT, 'tools', 'runtimes', 'package.json'))('miniflare');
const files = await bundleAll({
  outfile: 'workerd.js',
  entry: ENTRY,
  format: 'esm',
  conditions: ['workerd', 'worker'],
  wasm: () => 'external',
});
const modules = [...files].map(([path, file]) => {
  return { type: 'CompiledWasm', path, contents: readFileSync(file) };
});
const miniflare = new Miniflare({
  compatibilityDate: '2026-04-01',
  modules: [
    {
      type: 'ESModule',
      path: 'worker.mjs',
      contents: readFileSync(join(APP, 'workerd.js'), 'utf8'),
    },
    ...modules,
  ],
});
try {
  const response = await miniflare.dispatchFetch('http://localhost/');
  const text = await response.text();
  if (!response.ok) throw new Error(`HTTP ${response.status}: ${text}`);
  process.stdout.write(`REPORT ${text}\n`);
} finally {
  await miniflare.dispose();
}
