// What Cloudflare's workerd and Vercel's edge runtime have in common: no files, no threads, and modules that
// are compiled ahead of time.

import { OptionError, UnsupportedError } from '../errors.js';
import type { CoreBuild, Place, WorkerHandle } from './platform.js';
import { asWasmModule } from './wasm_module.js';

export * from './no_files.js';

export const FETCH_CACHES = false;

export function locate(location: string | URL): Place {
  try {
    return { url: new URL(location) };
  } catch (cause) {
    throw new OptionError(`[${location}] expected a whole URL, as there are no files here`, {
      cause,
    });
  }
}

/** The imported module. @throws UnsupportedError for a build that was not imported */
export async function importedCore(
  modules: Readonly<Partial<Record<CoreBuild, WebAssembly.Module>>>,
  name: string,
): Promise<WebAssembly.Module> {
  const module = asWasmModule(modules[name.replace(/^core\./, '') as CoreBuild]);
  if (module) return module;
  throw new UnsupportedError(
    `[core] ${name}.wasm was not imported as a module; pass one by the option core.wasm`,
  );
}

export function hardwareThreads(): number {
  return 1;
}

export function threadsVeto(): string | null {
  return 'threads: this runtime starts no workers';
}

export function spawnWorker(): WorkerHandle {
  throw new UnsupportedError('[threads] this runtime starts no workers');
}

export function memoryInUse(): null {
  return null;
}
