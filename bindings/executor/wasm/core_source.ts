// Where a core comes from: the builds of the package, or what the caller gives instead.

import { CORE_BUILDS, loadCore, locate, openFile } from '#platform';
import { OptionError, SourceError } from '../../errors.js';
import { isBufferSource, isModule, isUrl } from '../../model/kinds.js';
import type { CoreBuild, WorkerStarter } from '../../platform/platform.js';
import { asWasmModule } from '../../platform/wasm_module.js';

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

/** Why a build cannot be used, or null if it is there. */
export function buildRefusal(build: CoreBuild, core: CoreOptions = {}): string | null {
  if (core.wasm === undefined) {
    return CORE_BUILDS.includes(build)
      ? null
      : `core.${build}: does not come with the package here`;
  }
  return given(core.wasm)[build] === undefined ? `core.${build}: not among those given` : null;
}

/** The compiled build. @throws SourceError if it cannot be read, OptionError if it is no WebAssembly */
export function loadBuild(build: CoreBuild, core: CoreOptions = {}): Promise<WebAssembly.Module> {
  const source = core.wasm === undefined ? undefined : given(core.wasm)[build];
  return source === undefined ? loadCore(`core.${build}`) : compile(source, build);
}

export function workerStarter(core: CoreOptions = {}): WorkerStarter {
  return core.worker ?? null;
}

function given(wasm: NonNullable<CoreOptions['wasm']>): Partial<Record<CoreBuild, CoreSource>> {
  return isSource(wasm) ? { simd: wasm } : wasm;
}

function isSource(wasm: NonNullable<CoreOptions['wasm']>): wasm is CoreSource {
  return typeof wasm === 'string' || isUrl(wasm) || isModule(wasm) || isBufferSource(wasm);
}

async function compile(source: CoreSource, build: CoreBuild): Promise<WebAssembly.Module> {
  const module = asWasmModule(source);
  if (module) return module;
  const bytes = isBufferSource(source) ? source : await readBytes(source as URL | string);
  try {
    return await WebAssembly.compile(bytes);
  } catch (cause) {
    throw new OptionError(`[load] core.wasm: ${build} cannot be compiled: ${cause}`, { cause });
  }
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
