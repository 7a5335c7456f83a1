// Reads and packs all weights of a checkpoint.

import type { Checkpoint } from '../../model/checkpoint.js';
import type { Progress } from '../../model/progress.js';
import { storedBytes } from '../../model/weight.js';
import type { Core, MemoryViews } from './core.js';
import { LANES, type Layout } from './layout.js';
import { packWeight } from './pack.js';

interface PackOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

/**
 * Packs every weight of the checkpoint into its place.
 * @throws the first error of a weight, once nothing reads the checkpoint any more
 */
export async function packAll(
  core: Core,
  views: MemoryViews,
  checkpoint: Checkpoint,
  places: Layout,
  { signal, onProgress }: PackOptions,
): Promise<void> {
  let total = 0;
  for (const weight of checkpoint.weights.values()) total += storedBytes(weight);
  let done = 0;
  const onBytes = (bytes: number) => {
    done += bytes;
    onProgress?.({ stage: 'weights', done, total });
  };
  // Two lanes with half of the staging area each: one reads while the other packs.
  const bytes = places.stagingBytes / LANES;
  const waiting = entriesOf(checkpoint.weights);
  const lane = async (_: unknown, i: number) => {
    const staging = { address: places.staging + i * bytes, bytes };
    // Leaving the loop by an error ends the generator, and so the other lane.
    for (const [path, weight] of waiting) {
      const to = places.weights.get(path) ?? 0;
      await packWeight(core, views, weight, to, staging, onBytes, signal);
    }
  };
  // Both lanes have ended before the caller closes the checkpoint.
  const ends = await Promise.allSettled(Array.from({ length: LANES }, lane));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

function* entriesOf<K, V>(map: ReadonlyMap<K, V>): Generator<[K, V], void, void> {
  yield* map;
}
