// The script of a page's workers: of the one that holds the model, and of the threads which that one starts.
// The first message tells which.

import { runWorker } from '../executor/wasm/run_worker.js';
import type { WorkerStart } from '../executor/wasm/threads.js';
import { Host } from './host.js';
import type { ToHost } from './protocol.js';

const port = globalThis as unknown as WorkerScope;

interface WorkerScope extends EventTarget {
  postMessage(message: unknown): void;
  close(): void;
}

function begin(event: Event): void {
  const { data } = event as MessageEvent<ToHost | WorkerStart>;
  if ('kind' in data) {
    const host = new Host((message) => port.postMessage(message));
    host.receive(data);
    port.addEventListener('message', (next) => host.receive((next as MessageEvent<ToHost>).data));
  } else {
    // Rethrown outside of the promise, so that whoever started the thread gets an error event.
    const fail = (error: unknown) => {
      setTimeout(() => {
        throw error;
      });
    };
    runWorker(data).then(leave, fail);
  }
}

/** Tells that the thread's work is over. */
function leave(): void {
  port.postMessage(null);
  port.close();
}

port.addEventListener('message', begin, { once: true });
