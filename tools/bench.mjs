// `npm run bench`, `bench:decode` and `bench:start`: set-up, then the benchmark that the first word names;
// bench/README.md has the options. `--compare BASE` becomes the folder of that build. Where this Node has no
// relaxed SIMD they run in Node 24, if it is there; the table says which it was.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { baseBuild } from './base_build.mjs';
import { ROOT } from './build/files.mjs';
import { setUp, setUpRuntimes } from './setup.mjs';

/** @param {readonly string[]} args */
async function withBaseBuilt(args) {
  const at = args.findIndex((arg) => arg === '--compare' || arg.startsWith('--compare='));
  if (at < 0) return [...args];
  const joined = /** @type {string} */ (args[at]).split('=');
  const base = joined[1] ?? args[at + 1];
  if (!base) throw new Error('[--compare] expected a git revision or a folder, came none');
  const rest = args.slice(at + (joined.length > 1 ? 1 : 2));
  return [...args.slice(0, at), '--compare', await baseBuild(base), ...rest];
}

try {
  const [name = '', ...args] = process.argv.slice(2);
  await setUp();
  setUpRuntimes();
  const words = await withBaseBuilt(args);
  const node24 = join(ROOT, 'tools', 'runtimes', 'node_modules', 'node24', 'bin', 'node');
  const isOld = Number(process.versions.node.split('.')[0]) < 22;
  const node = isOld && existsSync(node24) ? node24 : process.execPath;
  const script = join(ROOT, 'build', 'bench', `${name}.js`);
  const bench = spawn(node, [script, ...words], { stdio: 'inherit' });
  bench.on('exit', (code) => {
    process.exitCode = code ?? 1;
  });
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`);
  process.exitCode = 1;
}
