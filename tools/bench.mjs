// `npm run bench` and `npm run bench:start`: set-up, then the benchmark that the first word names; bench/README.md
// has the options. Where this Node has no relaxed SIMD they run in Node 24, if it is there; the table says which
// it was.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './build/files.mjs';
import { setUp, setUpRuntimes } from './setup.mjs';

await setUp();
setUpRuntimes();
const node24 = join(ROOT, 'tools', 'runtimes', 'node_modules', 'node24', 'bin', 'node');
const isOld = Number(process.versions.node.split('.')[0]) < 22;
const node = isOld && existsSync(node24) ? node24 : process.execPath;
const [name = '', ...args] = process.argv.slice(2);
const script = join(ROOT, 'build', 'bench', `${name}.js`);
const bench = spawn(node, [script, ...args], { cwd: ROOT, stdio: 'inherit' });
bench.on('exit', (code) => {
  process.exitCode = code ?? 1;
});
