// `npm run bench:peers [-- OPTIONS]`: set-up, the peers included, then halfbyte beside them, in Node 24. The
// options are in bench/peers/plan.ts.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './build/files.mjs';
import { setUp, setUpPeers, setUpRuntimes } from './setup.mjs';

if (process.platform !== 'linux' || process.arch !== 'x64') {
  process.stderr.write('bench:peers runs on Linux x64 only, for which its peers are installed\n');
  process.exit(1);
}
try {
  await setUp();
  setUpRuntimes();
  setUpPeers();
  const node24 = join(ROOT, 'tools', 'runtimes', 'node_modules', 'node24', 'bin', 'node');
  const node = existsSync(node24) ? node24 : process.execPath;
  const script = join(ROOT, 'build', 'bench', 'peers', 'main.js');
  const bench = spawn(node, [script, ...process.argv.slice(2)], { stdio: 'inherit' });
  bench.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`);
  process.exitCode = 1;
}
