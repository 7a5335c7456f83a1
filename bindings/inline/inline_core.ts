import { CORES } from '#inline-assets';
import type { CoreBuild } from '../platform/platform.js';

let decoded: Readonly<Record<CoreBuild, Uint8Array<ArrayBuffer>>> | null = null;

/** All builds of the core, as bytes. */
export function inlineCores(): Readonly<Record<CoreBuild, Uint8Array<ArrayBuffer>>> {
  decoded ??= {
    simd: decode(CORES.simd),
    'simd.shared': decode(CORES['simd.shared']),
    relaxed: decode(CORES.relaxed),
    'relaxed.shared': decode(CORES['relaxed.shared']),
  };
  return decoded;
}

function decode(base64: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
}
