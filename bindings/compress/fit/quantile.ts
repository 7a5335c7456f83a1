// A quantile of many floats that need not be in memory at once: two passes over them count first the upper, then the
// lower halves of their bits, which are in the order of the floats.

/** Floats of 0 and more, batch by batch; the same ones each time. */
export type Batches = () => AsyncIterable<Float32Array>;

/**
 * The float such that so many are below it or equal, as in ascending order: element floor((count - 1) * part).
 * Exact. -1 for a part of 0, which is below all of them.
 */
export async function quantile(batches: Batches, part: number): Promise<number> {
  if (part === 0) return -1;
  const upper = new Float64Array(1 << 16);
  let count = 0;
  for await (const bits of bitsOf(batches)) {
    count += bits.length;
    for (const one of bits) upper[one >>> 16]!++;
  }
  const rank = Math.floor((count - 1) * part);
  const high = find(upper, rank);
  const lower = new Float64Array(1 << 16);
  for await (const bits of bitsOf(batches)) {
    for (const one of bits) if (one >>> 16 === high.at) lower[one & 0xffff]!++;
  }
  const word = Uint32Array.of((high.at << 16) | find(lower, rank - high.below).at);
  return new Float32Array(word.buffer)[0]!;
}

async function* bitsOf(batches: Batches): AsyncGenerator<Uint32Array> {
  for await (const { buffer, byteOffset, length } of batches()) {
    yield new Uint32Array(buffer, byteOffset, length);
  }
}

/** In which bin the element of that rank is, and how many are in bins below. */
function find(bins: Float64Array, rank: number): { at: number; below: number } {
  let below = 0;
  let at = 0;
  for (; below + bins[at]! <= rank; at++) below += bins[at]!;
  return { at, below };
}
