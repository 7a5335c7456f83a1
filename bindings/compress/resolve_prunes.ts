// What a magnitude has to be for a part of all weights of a tensor to be smaller: found before any is fitted.

import { matrixShape, type Weight } from '../model/weight.js';
import { magnitudes, type Prune, prunedTogether } from './fit/prune.js';
import { quantile } from './fit/quantile.js';
import type { OutputTensor } from './output_tensor.js';
import { strips } from './strips.js';

/** Reads the tensors whose scheme has a target sparsity. */
export async function resolvePrunes(
  tensors: readonly OutputTensor[],
  signal: AbortSignal | undefined,
): Promise<OutputTensor[]> {
  const resolved: OutputTensor[] = [];
  for (const { weight, scheme } of tensors) {
    const prune = typeof scheme === 'string' ? undefined : scheme.prune;
    if (typeof scheme === 'string' || prune?.by !== 'sparsity') {
      resolved.push({ weight, scheme });
      continue;
    }
    const most = await quantile(() => sizes(weight, prune, signal), prune.part);
    resolved.push({ weight, scheme: { ...scheme, prune: { ...prune, most } } });
  }
  return resolved;
}

async function* sizes(
  weight: Weight,
  prune: Prune,
  signal: AbortSignal | undefined,
): AsyncGenerator<Float32Array> {
  const { k } = matrixShape(weight);
  for await (const { values } of strips(weight, prunedTogether(prune))) {
    signal?.throwIfAborted();
    yield magnitudes(prune, values, k)!;
  }
}
