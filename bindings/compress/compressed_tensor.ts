// How one weight of the source lies in the compressed checkpoint.

import { UnsupportedError } from '../errors.js';
import { FLOAT_BYTES, type FloatType, GROUP_SIZE, paddedK } from '../formats.js';
import type { Weight } from '../model/weight.js';
import { type LinearScheme, type Recipe, schemeFor } from './recipe.js';
import type { TensorEntry } from './safetensors_writer.js';

/** A weight and what becomes of it; `scheme` null: it keeps its floats. */
export interface CompressedTensor {
  readonly weight: Weight;
  readonly scheme: LinearScheme | null;
}

/**
 * Pairs every weight with its scheme. Vectors (the norms) keep their floats.
 * @throws UnsupportedError for weights that are compressed already
 */
export function assignSchemes(weights: Iterable<Weight>, recipe: Recipe): CompressedTensor[] {
  const assigned: CompressedTensor[] = [];
  for (const weight of weights) {
    if (weight.format.kind !== 'float') {
      throw new UnsupportedError(
        `[compress] ${weight.path}: expected float weights, came ${weight.format.bits}-bit ones; ` +
          'compress the float checkpoint instead',
      );
    }
    const scheme = weight.shape.length === 2 ? schemeFor(recipe, weight.path) : null;
    assigned.push({ weight, scheme: scheme?.type === 'linear' ? scheme : null });
  }
  return assigned;
}

/** [n, k] of a matrix; a vector is one column. */
export function matrixShape(weight: Weight): { n: number; k: number } {
  const [n = 0, k = 1] = weight.shape;
  return { n, k };
}

/** The tensors that a weight becomes, in file order; scales and biases of type `scaleType`. */
export function tensorEntries(
  { weight, scheme }: CompressedTensor,
  scaleType: 'f16' | 'f32',
): TensorEntry[] {
  const name = `${weight.path}.weight`;
  if (!scheme) {
    const dtype = (weight.format as { dtype: FloatType }).dtype;
    return [{ name, dtype: dtype.toUpperCase(), shape: weight.shape, bytes: weight.values.bytes }];
  }
  const { n, k } = matrixShape(weight);
  const words = (paddedK(k) * scheme.bits) / 32;
  const groups = paddedK(k) / GROUP_SIZE;
  const group = {
    dtype: scaleType.toUpperCase(),
    shape: [n, groups],
    bytes: n * groups * FLOAT_BYTES[scaleType],
  };
  return [
    { name, dtype: 'U32', shape: [n, words], bytes: n * words * 4 },
    { name: `${weight.path}.scales`, ...group },
    ...(scheme.symmetric ? [] : [{ name: `${weight.path}.biases`, ...group }]),
  ];
}

/**
 * What config.json says about the compressed tensors. MLX's own key only where MLX would read exactly
 * the same weights: all of one width, with biases, and no row padded.
 */
export function quantizationKeys(tensors: readonly CompressedTensor[]): Record<string, unknown> {
  const linear: { path: string; k: number; scheme: LinearScheme }[] = [];
  for (const { weight, scheme } of tensors) {
    if (scheme) linear.push({ path: weight.path, k: matrixShape(weight).k, scheme });
  }
  const bits = linear[0]?.scheme.bits;
  if (bits === undefined) return {};
  const affine = linear.every(
    ({ k, scheme }) => !scheme.symmetric && scheme.bits === bits && k % GROUP_SIZE === 0,
  );
  if (affine) {
    const quantization = { group_size: GROUP_SIZE, bits, mode: 'affine' };
    return { quantization, quantization_config: quantization };
  }
  const entries = linear.map(({ path, k, scheme }) => [
    path,
    {
      type: 'linear',
      bits: scheme.bits,
      group_size: GROUP_SIZE,
      symmetric: scheme.symmetric,
      in_features: k,
    },
  ]);
  return {
    quantization_config: {
      quant_method: 'halfbyte',
      version: 1,
      tensors: Object.fromEntries(entries),
    },
  };
}
