// What this runtime can do, found by trying.

import { relaxedSimdVeto, threadsVeto } from '#platform';

// (func (result v128) (i16x8.relaxed_dot_i8x16_i7x16_s (i8x16.splat (i32.const 0)) (i8x16.splat (i32.const 0))))
const RELAXED_DOT_MODULE = new Uint8Array([
  0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00, 0x01, 0x05, 0x01, 0x60, 0x00, 0x01, 0x7b, 0x03,
  0x02, 0x01, 0x00, 0x0a, 0x0f, 0x01, 0x0d, 0x00, 0x41, 0x00, 0xfd, 0x0f, 0x41, 0x00, 0xfd, 0x0f,
  0xfd, 0x92, 0x02, 0x0b,
]);

/** Why the relaxed SIMD build cannot be used here, or null if it can. */
export function relaxedSimdRefusal(): string | null {
  const veto = relaxedSimdVeto();
  if (veto) return veto;
  if (WebAssembly.validate(RELAXED_DOT_MODULE)) return null;
  return 'relaxed SIMD: this runtime does not accept the instructions';
}

/** What makes a page isolated. */
const ISOLATION =
  'Cross-Origin-Opener-Policy: same-origin and Cross-Origin-Embedder-Policy: require-corp';

/** Why workers cannot share memory here, or null if they can. */
export function threadsRefusal(): string | null {
  const veto = threadsVeto();
  if (veto) return veto;
  const isolated = (globalThis as { crossOriginIsolated?: boolean }).crossOriginIsolated;
  if (isolated === false) {
    return `threads: the page is not cross-origin isolated; serve it with ${ISOLATION}`;
  }
  if (typeof SharedArrayBuffer === 'undefined') {
    return 'threads: this runtime has no SharedArrayBuffer';
  }
  return null;
}
