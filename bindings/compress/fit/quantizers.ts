// Linear quantizers as others have them, bit for bit (assembly/fit/quantizers.ts), which a recipe may ask for by `fit`.

import { OptionError } from '../../errors.js';
import { ALL, type FloatType, type WeightFormat } from '../../formats/format.js';
import { describe } from '../../model/json_fields.js';
import { MLX_BITS, MLX_GROUPS } from '../../model/schemes/mlx.js';
import type { FittedStrip, Floats, Quantizer } from './fit.js';
import type { FitCore } from './fit_core.js';
import { fitGroups } from './linear.js';

/** Words of a recipe. The first, which is the default, is our own. */
const FIT_WORDS = ['search', 'mlx', 'coremltools'];

/** Chooses codes, scales and biases of [rows, k] as the quantizer does. */
export function runQuantizer(
  quantizer: Quantizer,
  weights: Floats,
  k: number,
  format: WeightFormat,
  core: FitCore,
): FittedStrip {
  return fitGroups(weights, k, format, core, (shape, [codes, stride, scales, biases]) => {
    if (quantizer === 'mlx') core.run.quantize_mlx(...shape, codes, stride, scales, biases);
    else {
      const signed = Number(quantizer === 'coremltools');
      core.run.quantize_core_ml(...shape, signed, codes, stride, scales, format.bias ? biases : 0);
    }
    return 0;
  });
}

/** MLX's scales and biases are of the weights' type; Core ML's biases, products with zero points, need float32. */
export function scaleTypeOf(quantizer: Quantizer, weights: FloatType): FloatType {
  return quantizer === 'mlx' ? weights : 'f32';
}

/**
 * What `fit` in a recipe asks for.
 * @param dtype that of the recipe: Core ML's ranges are signed or not
 * @throws OptionError for other words, and formats that the quantizer does not make
 */
export function parseQuantizer(
  word: unknown,
  format: WeightFormat,
  dtype: unknown,
  where: string,
): { quantizer?: Quantizer } {
  if (word === undefined || word === 'search') return {};
  if (!FIT_WORDS.includes(word as string)) {
    const expected = `expected ${FIT_WORDS.join(', ')}, came ${describe(word)}`;
    throw new OptionError(`[recipe] ${where}.fit: ${expected}`);
  }
  const refuse = (made: string) =>
    new OptionError(`[recipe] ${where}.fit: "${word}" makes ${made} only`);
  if (format.lut || !format.scale) throw refuse('linear weights');
  if (format.scale.super) throw refuse('scales of one level');
  if (word === 'coremltools') {
    const unsigned = typeof dtype === 'string' && dtype.startsWith('u');
    return { quantizer: unsigned ? 'coremltools_unsigned' : 'coremltools' };
  }
  const { k, rows } = format.scale;
  if (!format.bias) throw refuse('mode "linear"');
  if (rows === ALL || !MLX_GROUPS.includes(k)) throw refuse(`blocks of ${MLX_GROUPS.join(', ')}`);
  if (!MLX_BITS.includes(format.bits)) throw refuse(`weights of ${MLX_BITS.join(', ')} bits`);
  return { quantizer: 'mlx' };
}
