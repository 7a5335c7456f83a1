// `npm run example:browser`, as it is started.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { expect } from './checks.mjs';

/** It prints the URL of the page, which is isolated unless that is unwanted. */
export async function checkServer() {
  for (const [flags, header] of /** @type {const} */ ([
    [[], 'same-origin'],
    [['--no-isolation'], null],
  ])) {
    const script = join(ROOT, 'tools', 'examples', 'serve.mjs');
    const server = spawn(process.execPath, [script, '--port', '0', ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const exit = once(server, 'exit');
    try {
      const [url] = await Promise.race([
        once(server.stdout.setEncoding('utf8'), 'data'),
        exit.then(([code]) => [`nothing: it ended with ${code}`]),
      ]);
      expect(/^http:\/\/127\.0\.0\.1:\d+\/\n$/.test(url), `expected a URL, came ${url}`);
      const response = await fetch(url);
      expect((await response.text()).includes('<h1>halfbyte</h1>'), `${url} is another page`);
      const came = response.headers.get('cross-origin-opener-policy');
      expect(came === header, `${flags}: Cross-Origin-Opener-Policy ${came}`);
    } finally {
      server.kill();
      await exit;
    }
  }
}
