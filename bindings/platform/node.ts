// What halfbyte needs from its surroundings, in Node, Deno and Bun: files, compiled cores, threads.

import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { FormatError, OptionError } from '../errors.js';
import { builtFile } from './node_built.js';
import { readError } from './node_read.js';
import type { CoreBuild, Place, RuntimeName, WorkerHandle, WorkerStarter } from './platform.js';
import { compileWasm } from './wasm_module.js';

export * from './node_answering.js';
export * from './node_publish.js';
export * from './node_read.js';
export * from './node_write.js';

export const FETCH_CACHES = false;

/** Texts that begin with a scheme of the web are URLs, all others paths. */
export function locate(location: string | URL): Place {
  if (typeof location === 'string' && !/^(https?|blob|data|file):/i.test(location)) {
    return { path: location };
  }
  let url: URL;
  try {
    url = new URL(location);
  } catch (cause) {
    throw new OptionError(`[${location}] expected a path or a URL`, { cause });
  }
  return url.protocol === 'file:' ? { path: filePath(url) } : { url };
}

function filePath(url: URL): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new OptionError(`[${url}] names no file of this machine: ${reason}`, { cause });
  }
}

export const CORE_BUILDS: readonly CoreBuild[] = [
  'simd',
  'simd.shared',
  'relaxed',
  'relaxed.shared',
];

const cores = new Map<string, Promise<WebAssembly.Module>>();

/**
 * The compiled build `name` of the core (`core.simd`, `core.relaxed.shared`, ...).
 * @throws SourceError if it cannot be read, FormatError if it is damaged, UnsupportedError where nothing may be
 *   compiled
 */
export function loadCore(name: string): Promise<WebAssembly.Module> {
  const known = cores.get(name);
  if (known) return known;
  const compiled = readCore(builtFile(`${name}.wasm`));
  cores.set(name, compiled);
  compiled.catch(() => cores.delete(name));
  return compiled;
}

async function readCore(path: string): Promise<WebAssembly.Module> {
  const bytes = await readFile(path).catch((cause) => {
    throw readError(path, cause);
  });
  return compileWasm(bytes, (cause) => {
    return new FormatError(`[core] ${path}: expected WebAssembly (${cause})`, { cause });
  });
}

/** Processors this process may use. */
export function hardwareThreads(): number {
  return availableParallelism();
}

/** Why relaxed SIMD must not be used although it may compile, or null. */
export function relaxedSimdVeto(): string | null {
  const major = Number(process.versions.node.split('.')[0]);
  if (major >= 22) return null;
  return 'relaxed SIMD: Node 20 computes it wrongly; Node 22 and newer run prefill 2.5 times as fast';
}

export function threadsVeto(): string | null {
  return null;
}

export type { WorkerHandle, WorkerStarter };

/** Milliseconds that a worker gets to leave by itself. */
const GRACE = 1000;

/**
 * Starts executor/wasm/worker.js on a thread that does not keep the process alive.
 * @param starter another script, or a function that makes a worker_threads Worker
 */
export function spawnWorker(
  start: unknown,
  onFailure: (error: unknown) => void,
  starter: WorkerStarter = null,
): WorkerHandle {
  const script = starter ?? builtFile('bindings', 'executor', 'wasm', 'worker.js');
  let worker: Worker;
  if (typeof script === 'function') {
    worker = script() as Worker;
    worker.postMessage(start);
  } else {
    worker = new Worker(script, { workerData: start });
  }
  worker.unref();
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      // A worker leaves only when it is told to, and a terminated one may say 0.
      onFailure(new Error(`exit code ${code}`));
      resolve();
    });
  });
  worker.once('error', onFailure);
  return {
    async end() {
      const timer = setTimeout(() => worker.terminate(), GRACE);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** In a worker: what spawnWorker was given. */
export async function receiveStart(): Promise<unknown> {
  if (workerData) return workerData;
  return new Promise((resolve) => parentPort?.once('message', resolve));
}

export function traceVeto(): string | null {
  return null;
}

export function runtimeName(): RuntimeName {
  const { deno, bun, node } = process.versions;
  if (deno) return { name: 'deno', version: deno };
  if (bun) return { name: 'bun', version: bun };
  return { name: 'node', version: node };
}

/** Resident set size, in bytes. */
export function memoryInUse(): number {
  return process.memoryUsage.rss();
}
