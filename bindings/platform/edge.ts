// Cloudflare's workerd: the core is an import, as nothing may be compiled while running.

import relaxed from '../../core.relaxed.wasm';
import simd from '../../core.simd.wasm';
import { importedCore } from './edge_common.js';
import type { CoreBuild, RuntimeName } from './platform.js';

export * from './edge_common.js';

export const CORE_BUILDS: readonly CoreBuild[] = ['simd', 'relaxed'];

export function loadCore(name: string): Promise<WebAssembly.Module> {
  return importedCore({ simd, relaxed }, name);
}

export function relaxedSimdVeto(): string | null {
  return null;
}

export function traceVeto(): string | null {
  return 'time stands still here while code runs';
}

export function runtimeName(): RuntimeName {
  return { name: 'workerd', version: 'unknown' };
}
