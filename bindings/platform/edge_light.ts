// Vercel's edge runtime. Its builds compile an imported module with the Node that runs them, which may be one
// that refuses relaxed SIMD; so only the baseline comes along.

import simd from '../../core.simd.wasm?module';
import { importedCore } from './edge_common.js';
import type { CoreBuild, RuntimeName } from './platform.js';

export * from './edge_common.js';

export const CORE_BUILDS: readonly CoreBuild[] = ['simd'];

export function loadCore(name: string): Promise<WebAssembly.Module> {
  return importedCore({ simd }, name);
}

export function relaxedSimdVeto(): string | null {
  return null;
}

export function traceVeto(): string | null {
  return null;
}

export function runtimeName(): RuntimeName {
  return { name: 'edge-runtime', version: 'unknown' };
}
