// Node 20 runs the baseline cores only: the kernel tests once more in Node 24, where the relaxed core joins
// and must give the same bytes.

import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const run = promisify(execFile);
const HERE = fileURLToPath(new URL('.', import.meta.url));
const NODE_24 = fileURLToPath(
  new URL('../../../tools/runtimes/node_modules/node24/bin/node', import.meta.url),
);

/** Set-up installs it there; without it the tests fail. */
const isWanted = process.platform === 'linux' && process.arch === 'x64';

const files = (await readdir(HERE)).filter(
  (file) => file.endsWith('.test.js') && !['relaxed.test.js', 'structure.test.js'].includes(file),
);

if (isWanted) {
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

if (!isWanted) {
  console.log(`not tested: Node 24 is installed for Linux on x64, this is ${process.platform}`);
}

test.run();
