// model.safetensors.index.json: which shard holds which tensor.

import { FormatError } from '../errors.js';
import { describe, JsonFields, type JsonObject } from './json_fields.js';

/** Every shard stays open while the model loads; common limits of open files begin at 256. */
const MAX_SHARDS = 200;

/**
 * A shard lies beside its index. What a path, a URL or a file system could take for more than a name is
 * refused, wherever the index lies.
 */
const SHARD_NAME = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}._+@=() -]*\.safetensors$/u;

/**
 * Tensor names by shard file. `metadata.total_size` is not checked: writers disagree about what it
 * counts.
 * @param name the index file, for messages
 */
export function readShardIndex(index: JsonObject, name: string): Map<string, Set<string>> {
  const fields = new JsonFields(index, name);
  const placed = fields.object('weight_map');
  if (!placed || placed.keys().length === 0) {
    throw fields.wrong('weight_map', 'an object with a shard for every tensor');
  }
  const shards = new Map<string, Set<string>>();
  for (const tensor of placed.keys()) {
    const file = placed.string(tensor);
    if (!SHARD_NAME.test(file)) {
      const expected = 'expected the plain name of a .safetensors file beside the index';
      throw new FormatError(`${placed.at(tensor)}: ${expected}, came ${describe(file)}`);
    }
    const names = shards.get(file) ?? new Set();
    shards.set(file, names.add(tensor));
  }
  if (shards.size > MAX_SHARDS) {
    throw new FormatError(`[${name}] ${shards.size} shards, at most ${MAX_SHARDS} are read`);
  }
  return shards;
}
