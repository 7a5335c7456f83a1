// A model as a page has it: a proxy here, its host at the other end of a channel instead of in a worker.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadOptions, Model } from '../../bindings/load.js';
import { loadModel } from '../../bindings/remote/client.js';
import { Host } from '../../bindings/remote/host.js';
import type { ToHost } from '../../bindings/remote/protocol.js';

/** Loads the model of a directory, one thread, its files by the page's own fetch. */
export function loadRemote(directory: string, options: LoadOptions = {}): Promise<Model> {
  const fetch = (url: string) => fetchFile(directory, url);
  const given = { threads: 1, fetch, ...options, core: { worker: fakeWorker } };
  return loadModel('https://models.test/tiny/', given);
}

/** The page's own fetch of a file of the directory. */
export async function fetchFile(directory: string, url: string): Promise<Response> {
  try {
    return new Response(await readFile(join(directory, new URL(url).pathname.slice(6))));
  } catch {
    return new Response(null, { status: 404 });
  }
}

/** What the page takes for a Worker. */
function fakeWorker(): Worker {
  const { port1, port2 } = new MessageChannel();
  const host = new Host((message) => port2.postMessage(message));
  port2.onmessage = ({ data }) => host.receive(data as ToHost);
  const worker = new EventTarget() as unknown as Worker;
  port1.onmessage = ({ data }) => worker.dispatchEvent(new MessageEvent('message', { data }));
  worker.postMessage = (message: unknown) => port1.postMessage(message);
  worker.terminate = () => port1.close();
  return worker;
}
