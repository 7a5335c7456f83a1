// `npm run test:oracles [-- --write]`: makes the goldens again with the published implementations, compares them with
// those of tests/oracles/goldens, and runs the tests of tests/oracles on what was just made. `--write` takes it for
// the goldens instead. The last line is `N passed, N failed`.

import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { setUp, setUpVocabularies } from '../setup.mjs';
import { runTests } from '../test/run_files.mjs';
import { compareFolders } from './compare.mjs';
import { CACHE, ORACLES, run, setUpOracles } from './environment.mjs';

const GOLDENS = join(ORACLES, 'goldens');
const LIVE = join(CACHE, 'live');
const INPUTS = join(CACHE, 'inputs');

/** @param {string[]} args */
async function main(args) {
  if (args.some((arg) => arg !== '--write'))
    throw new Error(`[oracles] only --write, came ${args}`);
  await setUp();
  setUpVocabularies();
  const python = setUpOracles();
  rmSync(LIVE, { recursive: true, force: true });
  run(process.execPath, [join(ROOT, 'build', 'tests', 'oracles', 'inputs.js'), INPUTS]);
  run(python, ['-B', 'make.py', INPUTS, LIVE]);
  if (args.includes('--write')) {
    rmSync(GOLDENS, { recursive: true, force: true });
    cpSync(LIVE, GOLDENS, { recursive: true });
  }
  const { same, differences } = compareFolders(GOLDENS, LIVE);
  for (const difference of differences) process.stdout.write(`${difference}\n`);
  process.stdout.write(`goldens: ${same} as they were made now, ${differences.length} not\n`);
  const tests = await runTests([join('tests', 'oracles')], { HALFBYTE_GOLDENS: LIVE });
  const failed = tests.failed + differences.length;
  process.stdout.write(`${same + tests.passed} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}

await main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n0 passed, 1 failed\n`);
  process.exitCode = 1;
});
