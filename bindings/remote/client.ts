// The page's side: starts the worker and asks it.

import { UnsupportedError, WorkerError } from '../errors.js';
import { checkReportOptions, type ReportOptions, type RuntimeReport } from '../executor/report.js';
import type { CoreOptions, CoreSource } from '../executor/wasm/core_source.js';
import type { Inspection, InspectOptions } from '../inspect.js';
import { checkLoadOptions } from '../load/options.js';
import type { LoadOptions, Model } from '../load.js';
import type { ModelLocation } from '../model/file_tree.js';
import { isUrl } from '../model/kinds.js';
import { untilAborted } from '../platform/until_aborted.js';
import { Connection, NO_SCRIPT } from './connection.js';
import { startDefaultWorker } from './default_worker.js';
import type { WireLoadOptions } from './protocol.js';
import { RemoteModel } from './remote_model.js';

/**
 * Loads a model into a worker of its own. Paths are URLs relative to the page.
 * @throws as `loadModel` elsewhere, and WorkerError if the worker cannot be started
 */
export async function loadModel(
  location: ModelLocation,
  options: LoadOptions = {},
): Promise<Model> {
  checkLoadOptions(options);
  if (options.compress) {
    const why = 'a page has its model in a worker, where no function of the page can go';
    throw new UnsupportedError(`[load] compress: ${why}; load a compressed checkpoint`);
  }
  const connection = connect(options);
  connection.onTrace = options.onTrace ?? null;
  try {
    const args = [wireLocation(location), wireLoadOptions(options)] as const;
    // The worker may be too busy to hear of an abort; it ends then.
    const facts = await untilAborted(connection.call('load', [...args], options), options.signal);
    return new RemoteModel(connection, facts) as unknown as Model;
  } catch (error) {
    connection.close(new WorkerError('[load] the model was not loaded'));
    throw error;
  }
}

/** Reads the headers of a checkpoint, in a worker. */
export async function inspectModel(
  location: ModelLocation,
  options: InspectOptions = {},
): Promise<Inspection> {
  checkLoadOptions(options, 'inspect');
  return inWorker(options, (connection) => {
    const args = [wireLocation(location), wireLoadOptions(options)] as const;
    return connection.call('inspect', [...args], options);
  });
}

/** What a model's worker can do here. */
export async function reportRuntime(options: ReportOptions = {}): Promise<RuntimeReport> {
  checkReportOptions(options);
  return inWorker(options, (connection) => {
    return connection.call('report', [wireCore(options.core)]);
  });
}

async function inWorker<T>(
  options: InspectOptions,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const connection = connect(options);
  try {
    return await untilAborted(work(connection), options.signal);
  } finally {
    connection.close(new WorkerError('[worker] it has ended'));
  }
}

function connect({ core, fetch, signal }: LoadOptions | InspectOptions): Connection {
  signal?.throwIfAborted();
  const connection = new Connection(startWorker(core?.worker));
  if (fetch) connection.fetch = fetch;
  return connection;
}

function startWorker(starter: CoreOptions['worker']): Worker {
  if (typeof starter === 'function') return starter() as Worker;
  if (typeof Worker === 'undefined') {
    throw new UnsupportedError('[worker] this page or worker cannot start workers');
  }
  try {
    if (starter !== undefined) return new Worker(starter, { type: 'module' });
    return startDefaultWorker();
  } catch (cause) {
    throw new WorkerError(`[worker] cannot be started: ${cause}; ${NO_SCRIPT}`, { cause });
  }
}

function wireLoadOptions(options: LoadOptions): WireLoadOptions {
  const { device, threads, simd, kvCache, kvCacheBytes } = options;
  return {
    options: { device, threads, simd, kvCache, kvCacheBytes },
    core: wireCore(options.core),
    pageFetches: options.fetch !== undefined,
    wantsTrace: options.onTrace !== undefined,
    wantsProgress: options.onProgress !== undefined,
  };
}

/** Relative to the page, not to the worker's script. */
function wireLocation(location: ModelLocation): ModelLocation {
  return typeof location === 'string' || isUrl(location) ? absolute(location) : location;
}

/** The function that starts a worker stays here: threads are started from the worker's own script. */
function wireCore(core: CoreOptions | undefined): CoreOptions | undefined {
  if (core?.wasm === undefined) return undefined;
  const { wasm } = core;
  if (typeof wasm === 'string' || isUrl(wasm)) return { wasm: absolute(wasm) };
  if (isRecord(wasm)) {
    const entries = Object.entries(wasm).map(([build, source]) => [
      build,
      typeof source === 'string' || isUrl(source) ? absolute(source) : source,
    ]);
    return { wasm: Object.fromEntries(entries) as Record<string, CoreSource> };
  }
  return { wasm };
}

function isRecord(
  wasm: NonNullable<CoreOptions['wasm']>,
): wasm is Exclude<NonNullable<CoreOptions['wasm']>, CoreSource> {
  return Object.getPrototypeOf(wasm) === Object.prototype;
}

function absolute(location: string | URL): string {
  return new URL(location, globalThis.document?.baseURI ?? globalThis.location?.href).href;
}
