// `npm test [part of a file's name ...]`: set-up, then every test file in a process of its own. The last
// line is `N passed, N failed`.

import { setUp, setUpRuntimes, setUpVocabularies } from './setup.mjs';
import { runTests } from './test/run_files.mjs';

try {
  await setUp();
  setUpRuntimes();
  setUpVocabularies();
  const { passed, failed } = await runTests(process.argv.slice(2));
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exitCode = failed > 0 ? 1 : 0;
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`);
  process.exitCode = 1;
}
