// Node 20 runs the baseline cores only: the kernel tests once more in Node 24, where the relaxed core joins
// and must give the same bytes.

import { execFile } from 'node:child_process';
import { access, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('.', import.meta.url));
const NODE_24 = fileURLToPath(
  new URL('../../../tools/runtimes/node_modules/node24/bin/node', import.meta.url),
);

const found = await access(NODE_24).then(
  () => true,
  () => false,
);
if (!found) console.log(`skipped: no ${NODE_24}`);
const files = (await readdir(HERE)).filter(
  (file) => file.endsWith('.test.js') && !['relaxed.test.js', 'structure.test.js'].includes(file),
);

if (found) {
  test('the relaxed core takes part', async () => {
    const module = new URL('../support/core.js', import.meta.url).href;
    const script = `const { CORES } = await import('${module}');
      console.log(CORES.map((core) => core.name).join());`;
    const { stdout } = await run(NODE_24, ['--input-type=module', '--eval', script]);
    assert.is(stdout.trim(), 'core.debug,core.simd,core.relaxed');
  });

  for (const file of files) {
    test(file, async () => {
      const failure = await run(NODE_24, [HERE + file]).then(
        () => null,
        (error: { stdout: string; stderr: string }) => error.stdout + error.stderr,
      );
      assert.is(failure, null, failure ?? '');
    });
  }
}

if (!found) test.skip('kernels in Node 24');

test.run();
