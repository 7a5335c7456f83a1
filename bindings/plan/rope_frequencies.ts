// Angle per position of each pair of a head: theta^(-2i / headDim), then the model's scaling.
//
//   linear   every frequency divided by `factor`
//   llama3   with L = originalContext / wavelength (turns within the trained context):
//            L < lowFreqFactor: divided by `factor`; L > highFreqFactor: kept; between: a blend of both

import type { RopeScaling, RopeSpec } from '../model/config.js';

/**
 * Frequencies [headDim / 2] in radians a position.
 * @param pow base^exponent: the core's own on every path that reaches tokens, so that all hosts agree
 */
export function ropeFrequencies(
  spec: RopeSpec,
  headDim: number,
  pow: (base: number, exponent: number) => number,
): Float64Array {
  const frequencies = new Float64Array(headDim / 2);
  for (let i = 0; i < frequencies.length; i++) {
    frequencies[i] = scaled(pow(spec.theta, -(2 * i) / headDim), spec.scaling);
  }
  return frequencies;
}

function scaled(frequency: number, scaling: RopeScaling | null): number {
  if (scaling === null) return frequency;
  if (scaling.type === 'linear') return frequency / scaling.factor;

  const { factor, lowFreqFactor, highFreqFactor, originalContext } = scaling;
  const turns = (originalContext * frequency) / (2 * Math.PI);
  if (turns < lowFreqFactor) return frequency / factor;
  if (turns > highFreqFactor) return frequency;
  const kept = (turns - lowFreqFactor) / (highFreqFactor - lowFreqFactor);
  return (1 - kept) * (frequency / factor) + kept * frequency;
}
