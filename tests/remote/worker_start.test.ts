// A worker that does not start: from a CDN it never does.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { WorkerError } from '../../bindings/errors.js';
import { loadModel } from '../../bindings/remote/client.js';

const MESSAGE = /^\[worker\].*from a CDN import 'halfbyte\/inline'.*core\.worker$/;
const scope = globalThis as { Worker?: unknown };

/** What loading fails with on a page whose workers are of this class. */
async function failure(worker: unknown): Promise<unknown> {
  scope.Worker = worker;
  try {
    return await loadModel(new Uint8Array(8)).catch((error) => error);
  } finally {
    delete scope.Worker;
  }
}

test('refused at once, as Chromium and Firefox do', async () => {
  const error = await failure(
    class {
      constructor() {
        throw new DOMException('cannot be accessed from this origin', 'SecurityError');
      }
    },
  );
  assert.instance(error, WorkerError);
  assert.match((error as Error).message, MESSAGE);
  assert.match((error as Error).message, 'SecurityError');
});

test('refused by an event, which says nothing', async () => {
  const error = await failure(
    class extends EventTarget {
      constructor() {
        super();
        setTimeout(() => this.dispatchEvent(new Event('error')));
      }
      postMessage() {}
      terminate() {}
    },
  );
  assert.instance(error, WorkerError);
  assert.match((error as Error).message, MESSAGE);
});

test.run();
