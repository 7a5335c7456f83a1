// `npm run example:browser [-- --port N] [--no-isolation]`: set-up, a model, the page. Prints the URL.

import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { setUp } from '../setup.mjs';
import { prepareModel } from './prepare.mjs';

try {
  await setUp();
  process.argv.splice(2, 0, await prepareModel());
  const script = join(ROOT, 'examples', 'browser', 'serve.mjs');
  process.argv[1] = script;
  await import(script);
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`);
  process.exitCode = 1;
}
