// `npm run check`: format, lint, imports, types, tests. `--no-tests` leaves the tests out. The last line is
// `N passed, N failed`, a check counting as one.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { ROOT } from './build/files.mjs';
import { setUp } from './setup.mjs';

const BIOME = join('node_modules', '@biomejs', 'biome', 'bin', 'biome');
const TSC = join('node_modules', 'typescript', 'bin', 'tsc');

/** @type {[name: string, args: string[]][]} */
const CHECKS = [
  ['format', [BIOME, 'format', '--log-level=warn']],
  ['lint', [BIOME, 'lint', '--error-on-warnings', '--log-level=warn']],
  ['imports', [join('tools', 'check_imports.mjs')]],
  ['types', [TSC, '-p', '.']],
];

const withTests = !process.argv.includes('--no-tests');
await setUp();
const failures = CHECKS.filter(([name, args]) => !run(name, args)).map(([name]) => name);
const passed = CHECKS.length - failures.length;
if (withTests) {
  process.stdout.write(`checks: ${passed} passed, ${failures.length} failed; now the tests\n`);
  if (!run('tests', [join('tools', 'test.mjs')])) failures.push('tests');
} else {
  process.stdout.write(`${passed} passed, ${failures.length} failed\n`);
}
process.exitCode = failures.length > 0 ? 1 : 0;

/**
 * @param {string} name
 * @param {string[]} args
 */
function run(name, args) {
  const { status } = spawnSync(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  process.stdout.write(`${name}: ${status === 0 ? 'passed' : 'FAILED'}\n`);
  return status === 0;
}
