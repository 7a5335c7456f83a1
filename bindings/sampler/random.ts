// Random numbers that are the same in every runtime: integer arithmetic on 32-bit words only.

/**
 * xoshiro128** by David Blackman and Sebastiano Vigna (prng.di.unimi.it). Its state is four 32-bit words,
 * period 2^128 - 1.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  /** @param state four 32-bit words, not all zero */
  constructor(state: readonly [number, number, number, number]) {
    [this.#a, this.#b, this.#c, this.#d] = state;
  }

  /** @param seed an integer from 0 to 2^53 - 1 */
  static fromSeed(seed: number): Random {
    const low = seed >>> 0;
    const high = Math.floor(seed / 2 ** 32);
    // Word i is the i-th of the Weyl sequence that begins at the seed's low word, hashed; the high word is
    // hashed in on top. Seeds below 2^32 differ in every word but the last, which is made odd so that the
    // state is never all zero.
    const word = (i: number) => mix(low + Math.imul(i, GOLDEN)) ^ mix(high + i);
    return new Random([word(1), word(2), word(3), word(4) | 1]);
  }

  /** An integer in [0, 2^32). */
  uint32(): number {
    const scrambled = Math.imul(rotate(Math.imul(this.#b, 5), 7), 9);
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotate(this.#d, 11);
    return scrambled >>> 0;
  }

  /** A multiple of 2^-53 in [0, 1), without rounding. */
  uniform(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) * 2 ** -53;
  }
}

/** A seed for callers that gave none. Not from `crypto`, which takes Node 3 ms to load: it need not be secret. */
export function randomSeed(): number {
  return Math.floor(Math.random() * 2 ** 32);
}

/** 2^32 / golden ratio: the step of a Weyl sequence. */
const GOLDEN = 0x9e3779b9;

/** A bijection of 32-bit words in which every bit depends on every bit (splitmix32's finalizer). */
function mix(word: number): number {
  let z = word | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return z ^ (z >>> 15);
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
