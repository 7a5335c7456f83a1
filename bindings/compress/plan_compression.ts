// What `compressModel` would write, from headers alone.

import { formatName } from '../formats/codecs.js';
import { openCheckpoint } from '../model/checkpoint.js';
import type { ModelLocation } from '../model/file_tree.js';
import type { FetchLike } from '../model/files.js';
import { storedBytes, weightCount } from '../model/weight.js';
import { checkOptionNames, type OptionNames } from '../options.js';
import { checkWeights } from '../plan/check.js';
import { planFor } from '../plan/plan_for.js';
import { chooseRecipe, type RecipeChoice } from './compress.js';
import { assignSchemes, type OutputTensor, storedFormat, tensorEntries } from './output_tensor.js';

export interface PlanOptions extends RecipeChoice {
  readonly signal?: AbortSignal | undefined;
  /** Replaces the global `fetch` for models behind URLs. */
  readonly fetch?: FetchLike | undefined;
}

const PLAN_OPTIONS: OptionNames<PlanOptions> = {
  scheme: true,
  recipe: true,
  signal: true,
  fetch: true,
};

/** Bytes are those of weights, without the header of a file. */
export interface CompressionPlan {
  readonly parameters: number;
  /** Stored bits, scales, biases and tables included, over all parameters. */
  readonly bitsPerWeight: number;
  readonly bytesBefore: number;
  readonly bytesAfter: number;
  readonly tensors: readonly PlannedTensor[];
}

export interface PlannedTensor {
  readonly path: string;
  readonly shape: readonly number[];
  /** Formats by name, as `inspect` has them. */
  readonly from: string;
  readonly to: string;
  readonly bytesBefore: number;
  /** With float16 scales, which are float32 where float16 does not hold them, and without outliers. */
  readonly bytesAfter: number;
}

/**
 * What `compressModel` with the same choice would write. Reads no weights and writes nothing.
 * @throws what `openCheckpoint` and `checkWeights` throw, OptionError for a recipe that does not fit the model,
 *   UnsupportedError for a source that is compressed already
 */
export async function planCompression(
  location: ModelLocation,
  options: PlanOptions,
): Promise<CompressionPlan> {
  checkOptionNames('compress', options, PLAN_OPTIONS);
  const recipe = chooseRecipe(options);
  options.signal?.throwIfAborted();
  const checkpoint = await openCheckpoint(location, options);
  try {
    const { config, weights, name } = checkpoint;
    checkWeights(planFor(config), weights, name);
    const tensors = assignSchemes(weights.values(), recipe).map(planTensor);
    await checkpoint.checkUnchanged();
    options.signal?.throwIfAborted();
    const sum = (of: (tensor: PlannedTensor) => number) =>
      tensors.reduce((total, tensor) => total + of(tensor), 0);
    const parameters = [...weights.values()].reduce((total, one) => total + weightCount(one), 0);
    const bytesAfter = sum((tensor) => tensor.bytesAfter);
    return {
      parameters,
      bitsPerWeight: (8 * bytesAfter) / parameters,
      bytesBefore: sum((tensor) => tensor.bytesBefore),
      bytesAfter,
      tensors,
    };
  } finally {
    await checkpoint.close();
  }
}

function planTensor(tensor: OutputTensor): PlannedTensor {
  const { weight } = tensor;
  const format = storedFormat(tensor);
  return {
    path: weight.path,
    shape: weight.shape,
    from: formatName(weight.format),
    to: formatName(format),
    bytesBefore: storedBytes(weight),
    bytesAfter: tensorEntries(tensor, format).reduce((total, { bytes }) => total + bytes, 0),
  };
}
