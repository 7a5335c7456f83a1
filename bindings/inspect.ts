// What a checkpoint holds and needs, without loading it.

import { UnsupportedError } from './errors.js';
import type { MemoryNeed } from './executor/executor.js';
import { type ExecutorOptions, memoryNeed, residentBytes } from './executor/select.js';
import { formatName } from './formats/codecs.js';
import { checkLoadOptions } from './load/options.js';
import { openCheckpoint } from './model/checkpoint.js';
import type { ModelLocation } from './model/file_tree.js';
import type { FetchLike } from './model/files.js';
import { storedBytes, type Weight, weightCount } from './model/weight.js';
import { checkWeights } from './plan/check.js';
import { planFor } from './plan/plan_for.js';

export interface Inspection {
  readonly architecture: string;
  /** Weights of all tensors; a tied head counts once. */
  readonly parameters: number;
  /** Stored bits, scales, biases and tables included, over all parameters. */
  readonly bitsPerWeight: number;
  readonly fileBytes: number;
  /** Memory that loading takes; kvCache: one full context. */
  readonly residentBytes: MemoryNeed;
  readonly tensors: readonly TensorInspection[];
}

export interface TensorInspection {
  /** Of its first tensor in the file: codes, or floats. */
  readonly name: string;
  /** As recipes name it: without a suffix. */
  readonly path: string;
  readonly shape: readonly number[];
  /** f32, f16, bf16, int8, int8-asym, int4, int4-asym, palettize4 and so on. */
  readonly scheme: string;
  /** Of one value, without its share of scales, biases and tables. */
  readonly bits: number;
  /** Stored bits, scales, biases and tables included, over all values. */
  readonly bitsPerWeight: number;
  /** Stored, scales, biases and tables included. */
  readonly bytes: number;
  /** In memory once it is loaded. */
  readonly residentBytes: number;
}

export interface InspectOptions extends ExecutorOptions {
  readonly signal?: AbortSignal | undefined;
  /** Replaces the global `fetch` for models behind URLs. */
  readonly fetch?: FetchLike | undefined;
}

/**
 * Reads the headers of a checkpoint and checks them against its plan.
 * @param options those that the model is to be loaded with: memory depends on them; the others do nothing here
 * @throws as `loadModel`
 */
export async function inspectModel(
  location: ModelLocation,
  options: InspectOptions = {},
): Promise<Inspection> {
  checkLoadOptions(options, 'inspect');
  if ('compress' in options && options.compress !== undefined) {
    const instead = 'planCompression of halfbyte/compress says what weights will take';
    throw new UnsupportedError(`[inspect] compress: expected none; ${instead}`);
  }
  const checkpoint = await openCheckpoint(location, options);
  try {
    const { config, weights, fileBytes } = checkpoint;
    const plan = planFor(config);
    checkWeights(plan, weights, checkpoint.name);
    const all = [...weights.values()];
    await checkpoint.checkUnchanged();
    options.signal?.throwIfAborted();
    return {
      architecture: config.architecture,
      parameters: sum(all, weightCount),
      bitsPerWeight: bitsPerWeight(all),
      fileBytes,
      residentBytes: memoryNeed(plan, checkpoint, options),
      tensors: all.map(describeTensor),
    };
  } finally {
    await checkpoint.close();
  }
}

/** Stored bits, scales, biases and tables included, over all parameters. */
export function bitsPerWeight(weights: readonly Weight[]): number {
  return (8 * sum(weights, storedBytes)) / sum(weights, weightCount);
}

function sum(weights: readonly Weight[], of: (weight: Weight) => number): number {
  return weights.reduce((total, weight) => total + of(weight), 0);
}

function describeTensor(weight: Weight): TensorInspection {
  const { path, shape, format, parts } = weight;
  return {
    name: parts[0].name,
    path,
    shape,
    scheme: formatName(format),
    bits: format.bits,
    bitsPerWeight: bitsPerWeight([weight]),
    bytes: storedBytes(weight),
    residentBytes: residentBytes(weight),
  };
}
