// What halfbyte needs from its surroundings, in a browser: in the worker that holds a model, and in the
// threads that this worker starts.

import { FormatError, OptionError, SourceError } from '../errors.js';
import type { CoreBuild, Place, RuntimeName, WorkerHandle, WorkerStarter } from './platform.js';
import { compileWasm } from './wasm_module.js';

export * from './no_files.js';

export const FETCH_CACHES = true;

/** Relative ones are relative to the page (remote/client.ts resolves them before they get here). */
export function locate(location: string | URL): Place {
  try {
    return { url: new URL(location, globalThis.location?.href) };
  } catch (cause) {
    throw new OptionError(`[${location}] expected a URL`, { cause });
  }
}

// Bundlers look for exactly this form; the file lies in build/browser/.
const CORE_URLS: Readonly<Record<CoreBuild, () => URL>> = {
  simd: () => new URL('../core.simd.wasm', import.meta.url),
  'simd.shared': () => new URL('../core.simd.shared.wasm', import.meta.url),
  relaxed: () => new URL('../core.relaxed.wasm', import.meta.url),
  'relaxed.shared': () => new URL('../core.relaxed.shared.wasm', import.meta.url),
};

export const CORE_BUILDS = Object.keys(CORE_URLS) as readonly CoreBuild[];

/**
 * The compiled build `name` of the core.
 * @throws SourceError if it is not where it should be, FormatError for something else in its place,
 *   UnsupportedError where nothing may be compiled
 */
export async function loadCore(name: string): Promise<WebAssembly.Module> {
  const url = CORE_URLS[name.replace(/^core\./, '') as CoreBuild]();
  const response = await fetch(url).catch((cause) => {
    throw new SourceError(`[${url}] the core cannot be fetched`, { cause });
  });
  if (!response.ok) {
    throw new SourceError(
      `[${url}] the core cannot be fetched: HTTP ${response.status}; see the option core.wasm`,
    );
  }
  const type = response.headers.get('content-type');
  return compileWasm(
    type === 'application/wasm' ? response : await response.arrayBuffer(),
    (cause) => {
      const came = `content type ${type} (${cause})`;
      return new FormatError(
        `[${url}] expected WebAssembly, came ${came}; see the option core.wasm`,
        { cause },
      );
    },
  );
}

export function hardwareThreads(): number {
  return navigator.hardwareConcurrency || 1;
}

export function relaxedSimdVeto(): string | null {
  return null;
}

export function threadsVeto(): string | null {
  return typeof Worker === 'undefined' ? 'threads: this kind of worker starts no others' : null;
}

/** Milliseconds that a thread gets to leave by itself: a terminated one gives its memory back later. */
const GRACE = 1000;

/** Starts this worker's own script again: it has the threads' part too, wherever a bundler has put it. */
export function spawnWorker(
  start: unknown,
  onFailure: (error: unknown) => void,
  starter: WorkerStarter = null,
): WorkerHandle {
  const worker =
    typeof starter === 'function'
      ? (starter() as Worker)
      : new Worker(starter ?? globalThis.location.href, { type: 'module' });
  worker.addEventListener('error', (event) => {
    onFailure(new Error(event.message || 'the script cannot be loaded'));
  });
  const ended = new Promise<void>((resolve) => {
    worker.addEventListener('message', () => resolve());
  });
  worker.postMessage(start);
  return {
    async end() {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const timedOut = new Promise<false>((resolve) => {
        timer = setTimeout(resolve, GRACE, false);
      });
      const left = await Promise.race([ended.then(() => true), timedOut]);
      clearTimeout(timer);
      if (!left) worker.terminate();
    },
  };
}

export function traceVeto(): string | null {
  return null;
}

/** The engine, by what its user agent calls itself. */
export function runtimeName(): RuntimeName {
  const agent = navigator.userAgent;
  const found =
    /(Firefox)\/([\d.]+)/.exec(agent) ??
    /(Chrom(?:e|ium))\/([\d.]+)/.exec(agent) ??
    /(AppleWebKit)\/([\d.]+)/.exec(agent);
  const [, name = 'browser', version = 'unknown'] = found ?? [];
  return { name: name.toLowerCase().replace('applewebkit', 'webkit'), version };
}

export function memoryInUse(): null {
  return null;
}
