// How one weight of the source lies in the checkpoint that is written.

import { OptionError, UnsupportedError } from '../errors.js';
import { codecOf } from '../formats/codecs.js';
import {
  ALL,
  FLOAT_BYTES,
  type FloatType,
  floatFormat,
  type WeightFormat,
  withNonZeros,
  withOutliers,
  withScaleType,
} from '../formats/format.js';
import { DEFAULT_GROUP } from '../formats/linear.js';
import { dtypeName, partBytes } from '../formats/parts.js';
import { sparseFormat } from '../formats/sparse.js';
import { halfbyteKeys } from '../model/schemes/halfbyte.js';
import { mlxKeys } from '../model/schemes/mlx.js';
import { isPacked, matrixShape, type Weight, weightCount } from '../model/weight.js';
import type { PackedScheme } from './fit/fit.js';
import { checkPrunes, mostLeft } from './fit/prune.js';
import { scaleTypeOf } from './fit/quantizers.js';
import { checkOverrides, isNone, type Recipe, schemeFor } from './recipe.js';
import type { TensorEntry } from './safetensors_writer.js';

/** A weight and what becomes of it: codes, or floats of a type. */
export interface OutputTensor {
  readonly weight: Weight;
  readonly scheme: PackedScheme | FloatType;
}

/**
 * Pairs every weight with its scheme. Vectors (the norms) keep their floats.
 * @throws UnsupportedError for weights that are compressed already, OptionError for rows that blocks of the
 *   scheme do not divide, and for an override that matches nothing
 */
export function assignSchemes(all: Iterable<Weight>, recipe: Recipe): OutputTensor[] {
  const weights = [...all];
  const assigned: OutputTensor[] = [];
  for (const weight of weights) {
    const { float } = weight.format;
    if (!float || isPacked(weight)) {
      throw new UnsupportedError(
        `[compress] ${weight.path}: expected float weights, came ${weight.format.bits}-bit ones; ` +
          'compress the float checkpoint instead',
      );
    }
    const scheme = weight.shape.length === 2 ? schemeFor(recipe, weight.path) : null;
    if (!scheme || isNone(scheme) || weightCount(weight) <= (scheme.weightThreshold ?? 0)) {
      assigned.push({ weight, scheme: float });
      continue;
    }
    checkDivides(weight, scheme);
    assigned.push({ weight, scheme: prunedScheme(weight, scheme) });
  }
  checkOverrides(recipe, weights);
  return assigned;
}

/** Rows are padded to whole blocks of the default size only, and nothing fills up a vector of channels. */
function checkDivides(weight: Weight, { format }: PackedScheme): void {
  const group = format.scale?.k ?? ALL;
  const dim = format.lut?.dim ?? 1;
  const { n, k } = matrixShape(weight);
  if (n % dim !== 0) {
    throw new OptionError(
      `[compress] ${weight.path}: ${n} output channels are no multiple of cluster_dim ${dim}`,
    );
  }
  if (group === ALL || group === DEFAULT_GROUP || k % group === 0) return;
  throw new OptionError(
    `[compress] ${weight.path}: rows of ${k} weights are no multiple of block_size ${group}`,
  );
}

/** What is left of pruned floats stays what it is. */
function prunedScheme(weight: Weight, scheme: PackedScheme): PackedScheme {
  if (!scheme.prune) return scheme;
  const { n, k } = matrixShape(weight);
  checkPrunes(scheme.prune, weight.path, n, k);
  return scheme.format.float ? { ...scheme, format: sparseFormat(weight.format) } : scheme;
}

/**
 * The format that a weight gets.
 * @param inHalf float16 holds all its scales and biases
 * @param outliers how many it has
 * @param nonZeros of a pruned one; absent: the most there may be
 */
export function storedFormat(
  { weight, scheme }: OutputTensor,
  inHalf = true,
  outliers = 0,
  nonZeros?: number,
): WeightFormat {
  if (typeof scheme === 'string') return floatFormat(scheme);
  const { format, quantizer, prune } = scheme;
  const other = inHalf ? 'f16' : 'f32';
  const type = quantizer ? scaleTypeOf(quantizer, weight.format.float!) : other;
  const { n, k } = matrixShape(weight);
  const left = nonZeros ?? (prune ? mostLeft(prune, n, k) : 0);
  return withNonZeros(withOutliers(withScaleType(format, type), outliers), left);
}

/** The format with the most bytes that a weight may get. */
export function longestFormat(tensor: OutputTensor): WeightFormat {
  const { weight, scheme } = tensor;
  const mayHave = typeof scheme !== 'string' && scheme.outlierThreshold !== undefined;
  return storedFormat(tensor, false, mayHave ? weightCount(weight) : 0);
}

/** The tensors that a weight becomes, in file order. @param format as it is stored */
export function tensorEntries({ weight }: OutputTensor, format: WeightFormat): TensorEntry[] {
  const { path, shape } = weight;
  if (format.float && !format.sparse) {
    const bytes = weightCount(weight) * FLOAT_BYTES[format.float];
    return [{ name: `${path}.weight`, dtype: dtypeName(format.float), shape, bytes }];
  }
  const { n, k } = matrixShape(weight);
  return codecOf(format)
    .parts(format, n, k)
    .map((part) => {
      const { suffix, dtype, shape } = part;
      return { name: `${path}.${suffix}`, dtype, shape, bytes: partBytes(part) };
    });
}

/** What config.json says about the compressed tensors; MLX's own key where MLX would read the same weights. */
export function quantizationKeys(tensors: readonly OutputTensor[]): Record<string, unknown> {
  const packed = tensors.flatMap((tensor) => {
    const { weight, scheme } = tensor;
    if (typeof scheme === 'string') return [];
    // MLX knows no outliers.
    return [{ path: weight.path, k: matrixShape(weight).k, format: longestFormat(tensor) }];
  });
  if (packed.length === 0) return {};
  return mlxKeys(packed) ?? halfbyteKeys(packed);
}
