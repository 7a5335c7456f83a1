// `npm run example:browser [-- --port N] [--no-isolation]`: set-up, a model, the page. Prints the URL.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../build/files.mjs';
import { setUp } from '../setup.mjs';
import { prepareModel } from './prepare.mjs';

try {
  await setUp();
  // The script reads its own arguments; a model among them comes first.
  process.argv.push(await prepareModel());
  process.argv[1] = join(ROOT, 'examples', 'browser', 'serve.mjs');
  await import(pathToFileURL(process.argv[1]).href);
} catch (error) {
  process.stderr.write(`${/** @type {Error} */ (error).message}\n`);
  process.exitCode = 1;
}
