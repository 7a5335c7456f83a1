// Where a core comes from: the builds of the package, or what the caller gives instead.

import { CORE_BUILDS, loadCore, locate, openFile } from '#platform';
import { OptionError, SourceError, show } from '../../errors.js';
import { isBufferSource, isModule, isUrl } from '../../model/kinds.js';
import { checkOptionNames, type OptionNames } from '../../options.js';
import type { CoreBuild, WorkerStarter } from '../../platform/platform.js';
import { asWasmModule, compileWasm } from '../../platform/wasm_module.js';

/** A compiled core, its bytes, or where they lie. */
export type CoreSource = WebAssembly.Module | BufferSource | URL | string;

/** Replaces files of the package, for hosts that place or compile them in their own way. */
export interface CoreOptions {
  /**
   * The core by build; what is left out is not used. One alone is taken for `core.simd.wasm`: one thread,
   * baseline SIMD, everywhere.
   */
  readonly wasm?: CoreSource | Readonly<Partial<Record<CoreBuild, CoreSource>>> | undefined;
  /**
   * The script of a worker thread, or what starts one: in Node `build/bindings/executor/wasm/worker.js` and a
   * worker_threads Worker, in a browser `build/browser/worker.js` and a Worker of type module.
   */
  readonly worker?: URL | string | (() => unknown) | undefined;
}

const CORE_OPTIONS: OptionNames<CoreOptions> = { wasm: true, worker: true };
const BUILDS: OptionNames<Record<CoreBuild, CoreSource>> = {
  simd: true,
  'simd.shared': true,
  relaxed: true,
  'relaxed.shared': true,
};

/** @throws OptionError for a name that is none of the core's */
export function checkCoreNames(core: CoreOptions): void {
  checkOptionNames('core', core, CORE_OPTIONS);
  if (core.wasm !== undefined) checkOptionNames('core.wasm', given(core.wasm), BUILDS);
}

/** Why a build cannot be used, or null if it is there. */
export function buildRefusal(build: CoreBuild, core: CoreOptions = {}): string | null {
  if (core.wasm === undefined) {
    return CORE_BUILDS.includes(build)
      ? null
      : `core.${build}: does not come with the package here`;
  }
  return given(core.wasm)[build] === undefined ? `core.${build}: not among those given` : null;
}

/**
 * The compiled build.
 * @throws SourceError if it cannot be read, OptionError if what was given is no WebAssembly, UnsupportedError where
 *   nothing may be compiled
 */
export async function loadBuild(
  build: CoreBuild,
  core: CoreOptions = {},
): Promise<WebAssembly.Module> {
  if (core.wasm === undefined) return loadCore(`core.${build}`);
  const source = given(core.wasm)[build];
  if (source !== undefined) return compile(source, build);
  throw new OptionError(`[load] core.wasm: ${build} is needed here, and not among those given`);
}

export function workerStarter(core: CoreOptions = {}): WorkerStarter {
  return core.worker ?? null;
}

function given(wasm: NonNullable<CoreOptions['wasm']>): Partial<Record<CoreBuild, CoreSource>> {
  if (isSource(wasm)) return { simd: wasm };
  if (wasm !== null && typeof wasm === 'object') return wasm;
  throw new OptionError(
    `[load] core.wasm: expected a module, bytes, a location or these by build, came ${show(wasm)}`,
  );
}

function isSource(wasm: NonNullable<CoreOptions['wasm']>): wasm is CoreSource {
  return typeof wasm === 'string' || isUrl(wasm) || isModule(wasm) || isBufferSource(wasm);
}

async function compile(source: CoreSource, build: CoreBuild): Promise<WebAssembly.Module> {
  const module = asWasmModule(source);
  if (module) return module;
  const bytes = isBufferSource(source) ? source : await readBytes(source as URL | string);
  return compileWasm(bytes, (cause) => {
    return new OptionError(`[load] core.wasm: ${build} cannot be compiled: ${cause}`, { cause });
  });
}

async function readBytes(location: URL | string): Promise<BufferSource> {
  const place = locate(location);
  if ('url' in place) {
    const response = await fetch(place.url).catch((cause) => {
      throw new SourceError(`[${place.url}] the core cannot be fetched`, { cause });
    });
    if (response.ok) return response.arrayBuffer();
    throw new SourceError(`[${place.url}] the core cannot be fetched: HTTP ${response.status}`);
  }
  const file = await openFile(place.path);
  try {
    const bytes = new Uint8Array(file.size);
    await file.read(0, bytes);
    return bytes;
  } finally {
    await file.close();
  }
}
