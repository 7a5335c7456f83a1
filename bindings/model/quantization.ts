// What config.json says about compressed weights. Two writers are understood, each in a file of schemes/:
//
//   "quantization": { "group_size": 32, "bits": 4, "mode": "affine", "<path>": { ... } | false }      MLX
//   "quantization_config": { "quant_method": "halfbyte", "version": 1, "tensors": { ... } }           ours
//
// MLX repeats its object as `quantization_config`, without a quant_method; both must mean the same.

import { FormatError, UnsupportedError } from '../errors.js';
import { JsonFields, type JsonObject } from './json_fields.js';
import { METHOD, parseHalfbyte } from './schemes/halfbyte.js';
import { checkSame, parseMlx } from './schemes/mlx.js';
import type { Quantization } from './schemes/quantization.js';

/** Where config.json says it. */
const KEYS: readonly string[] = ['quantization', 'quantization_config'];

/** A config that says nothing about compressed weights. */
export function withoutQuantization(config: JsonObject): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !KEYS.includes(key)));
}

/**
 * Reads the quantization keys of config.json; null if there are none.
 * @throws UnsupportedError for other methods and schemes, by name; FormatError for fields that are
 *   wrong
 */
export function parseQuantization(config: JsonObject, name: string): Quantization | null {
  const fields = new JsonFields(config, name);
  const [mlx = null, common = null] = KEYS.map((key) => fields.object(key));
  if (common?.has('quant_method')) {
    const method = common.string('quant_method');
    if (method !== METHOD) {
      throw new UnsupportedError(
        `${common.at('quant_method')}: ${method} is not supported, only ${METHOD} and MLX's affine`,
      );
    }
    if (mlx) {
      const both = `expected one of quantization and quantization_config, came both`;
      throw new FormatError(`[${name}] ${both}`);
    }
    return parseHalfbyte(common);
  }
  const repeated = common && parseMlx(common, 'quantization_config');
  if (!mlx) return repeated;
  const parsed = parseMlx(mlx, 'quantization');
  if (repeated) checkSame(parsed, repeated, name);
  return parsed;
}
