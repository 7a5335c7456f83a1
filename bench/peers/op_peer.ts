// One matmul of int4 weights in blocks of 32: y [m, n] = x [m, k] W [n, k], x and y float32.

import { f32ToF16 } from '../../bindings/formats/float16.js';
import { Random } from '../../bindings/sampler/random.js';

export const N = 2048;
export const K = 2048;
export const BLOCK = 32;
const SEED = 1;

export interface OpPeer {
  readonly about: string;
  /** Milliseconds a call with m rows, on average over `seconds`. */
  time(m: number, seconds: number): Promise<number>;
  /** y [m, N], to be compared. */
  output(m: number): Promise<number[]>;
}

/** The same numbers for every peer. */
export interface OpNumbers {
  /** [N, K / 2] bytes, the level of even k in the low half: w = scale * (level - 8). */
  readonly levels: Uint8Array;
  /** [N, K / 32] float16. */
  readonly scales: Uint16Array;
  /** [m, K] */
  readonly x: Float32Array;
}

export function opNumbers(m: number): OpNumbers {
  const random = Random.fromSeed(SEED);
  const sign = () => (random.uint32() & 1 ? 1 : -1);
  return {
    levels: Uint8Array.from({ length: (N * K) / 2 }, () => random.uint32() & 255),
    scales: Uint16Array.from({ length: (N * K) / BLOCK }, () => {
      return f32ToF16(sign() * (0.005 + 0.01 * random.uniform()));
    }),
    x: Float32Array.from({ length: m * K }, () => 2 * random.uniform() - 1),
  };
}

/** Calls `run` until `seconds` are over, once at least. @returns milliseconds a call */
export async function timeCalls(run: () => unknown, seconds: number): Promise<number> {
  const started = performance.now();
  const end = started + 1000 * seconds;
  let calls = 0;
  let now = started;
  while (calls === 0 || now < end) {
    await run();
    calls++;
    now = performance.now();
  }
  return (now - started) / calls;
}
