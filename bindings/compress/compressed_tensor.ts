// How one weight of the source lies in the compressed checkpoint.

import { UnsupportedError } from '../errors.js';
import {
  FLOAT_BYTES,
  type FloatType,
  GROUP_SIZE,
  LUT_ENTRIES,
  lutCount,
  PALETTE_ROWS,
  paddedK,
} from '../formats.js';
import type { Weight } from '../model/weight.js';
import { type PackedScheme, type Recipe, schemeFor } from './recipe.js';
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
    if (weight.format.kind !== 'float') {
      throw new UnsupportedError(
        `[compress] ${weight.path}: expected float weights, came ${weight.format.bits}-bit ones; ` +
          'compress the float checkpoint instead',
      );
    }
    const scheme = weight.shape.length === 2 ? schemeFor(recipe, weight.path) : null;
    assigned.push({ weight, scheme: scheme?.type === 'none' ? null : scheme });
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
  if (scheme.type === 'palettize') return paletteEntries(weight.path, n, k, scaleType);
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

function paletteEntries(path: string, n: number, k: number, scaleType: FloatType): TensorEntry[] {
  const stride = paddedK(k) / 2;
  const luts = lutCount(n);
  return [
    { name: `${path}.indices`, dtype: 'U8', shape: [n, stride], bytes: n * stride },
    {
      name: `${path}.channel_scale`,
      dtype: scaleType.toUpperCase(),
      shape: [n],
      bytes: n * FLOAT_BYTES[scaleType],
    },
    {
      name: `${path}.lut`,
      dtype: 'I8',
      shape: [luts, LUT_ENTRIES],
      bytes: luts * LUT_ENTRIES,
    },
  ];
}

/**
 * What config.json says about the compressed tensors. MLX's own key only where MLX would read exactly
 * the same weights: all of one width, with biases, and no row padded.
 */
export function quantizationKeys(tensors: readonly CompressedTensor[]): Record<string, unknown> {
  const packed: { path: string; k: number; scheme: PackedScheme }[] = [];
  for (const { weight, scheme } of tensors) {
    if (scheme) packed.push({ path: weight.path, k: matrixShape(weight).k, scheme });
  }
  const bits = packed[0]?.scheme.bits;
  if (bits === undefined) return {};
  const affine = packed.every(
    ({ k, scheme }) =>
      scheme.type === 'linear' && !scheme.symmetric && scheme.bits === bits && k % GROUP_SIZE === 0,
  );
  if (affine) {
    const quantization = { group_size: GROUP_SIZE, bits, mode: 'affine' };
    return { quantization, quantization_config: quantization };
  }
  const entries = packed.map(({ path, k, scheme }) => [
    path,
    { ...description(scheme), in_features: k },
  ]);
  return {
    quantization_config: {
      quant_method: 'halfbyte',
      version: 1,
      tensors: Object.fromEntries(entries),
    },
  };
}

/** The scheme in the words of model/quantization.ts. */
function description(scheme: PackedScheme): Record<string, unknown> {
  const { type, bits } = scheme;
  if (type === 'linear') {
    return { type, bits, group_size: GROUP_SIZE, symmetric: scheme.symmetric };
  }
  return {
    type,
    bits,
    granularity: 'per_grouped_channel',
    group_size: PALETTE_ROWS,
    enable_per_channel_scale: true,
  };
}
