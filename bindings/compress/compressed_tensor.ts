// How one weight of the source lies in the compressed checkpoint.

import { UnsupportedError } from '../errors.js';
import { codecOf } from '../formats/codecs.js';
import { type FloatType, withScaleType } from '../formats/format.js';
import { partBytes } from '../formats/parts.js';
import { halfbyteKeys } from '../model/schemes/halfbyte.js';
import { mlxKeys } from '../model/schemes/mlx.js';
import { matrixShape, type Weight } from '../model/weight.js';
import type { PackedScheme } from './fit/fit.js';
import { isNone, type Recipe, schemeFor } from './recipe.js';
import type { TensorEntry } from './safetensors_writer.js';

/** A weight and what becomes of it; `scheme` null: it keeps its floats. */
export interface CompressedTensor {
  readonly weight: Weight;
  readonly scheme: PackedScheme | null;
}

/**
 * Pairs every weight with its scheme. Vectors (the norms) keep their floats.
 * @throws UnsupportedError for weights that are compressed already
 */
export function assignSchemes(weights: Iterable<Weight>, recipe: Recipe): CompressedTensor[] {
  const assigned: CompressedTensor[] = [];
  for (const weight of weights) {
    if (!weight.format.float) {
      throw new UnsupportedError(
        `[compress] ${weight.path}: expected float weights, came ${weight.format.bits}-bit ones; ` +
          'compress the float checkpoint instead',
      );
    }
    const scheme = weight.shape.length === 2 ? schemeFor(recipe, weight.path) : null;
    assigned.push({ weight, scheme: scheme && (isNone(scheme) ? null : scheme) });
  }
  return assigned;
}

/** The tensors that a weight becomes, in file order; scales and biases of type `scaleType`. */
export function tensorEntries(
  { weight, scheme }: CompressedTensor,
  scaleType: FloatType,
): TensorEntry[] {
  if (!scheme) {
    const [{ name, dtype, bytes }] = weight.parts;
    return [{ name, dtype, shape: weight.shape, bytes }];
  }
  const { n, k } = matrixShape(weight);
  const format = withScaleType(scheme.format, scaleType);
  return codecOf(format)
    .parts(format, n, k)
    .map((part) => {
      const { suffix, dtype, shape } = part;
      return { name: `${weight.path}.${suffix}`, dtype, shape, bytes: partBytes(part) };
    });
}

/** What config.json says about the compressed tensors; MLX's own key where MLX would read the same weights. */
export function quantizationKeys(tensors: readonly CompressedTensor[]): Record<string, unknown> {
  const packed = tensors.flatMap(({ weight, scheme }) => {
    if (!scheme) return [];
    return [{ path: weight.path, k: matrixShape(weight).k, format: scheme.format }];
  });
  if (packed.length === 0) return {};
  return mlxKeys(packed) ?? halfbyteKeys(packed);
}
