// esbuild does not follow `new URL(..., import.meta.url)`, so the worker and the builds of the core are entry
// points of their own: the worker beside the page's script, the cores one folder above.

import { build } from 'esbuild';

const cores = ['simd', 'simd.shared', 'relaxed', 'relaxed.shared'].map((name) => `core.${name}`);

await build({
  entryPoints: [
    { in: './main.js', out: 'scripts/main' },
    { in: 'halfbyte/worker', out: 'scripts/worker' },
    ...cores.map((name) => ({ in: `halfbyte/${name}.wasm`, out: name })),
  ],
  outdir: 'dist',
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  loader: { '.wasm': 'copy' },
});
