// The example's server: a busy port leaves the next one.

import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'uvu';
import * as assert from 'uvu/assert';

const SERVE = new URL('../../../examples/browser/serve.mjs', import.meta.url).href;

interface Served {
  readonly url: string;
  close(): Promise<void>;
}

test('a busy port', async () => {
  const { serve } = (await import(SERVE)) as { serve(options: object): Promise<Served> };
  const other = createServer().listen(0, '127.0.0.1');
  other.unref();
  await once(other, 'listening');
  const { port } = other.address() as { port: number };
  const { url, close } = await serve({ port });
  try {
    const taken = Number(new URL(url).port);
    assert.ok(taken > port && taken <= port + 20, `${taken} after ${port}`);
    assert.is((await fetch(url)).status, 200);
  } finally {
    await close();
    other.close();
  }
});

test.run();
