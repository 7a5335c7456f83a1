// A compressed checkpoint, ours or MLX's, becomes floats again: for programs that read no other.

import { OptionError, show, UnsupportedError } from '../errors.js';
import type { FloatType } from '../formats/format.js';
import { withoutQuantization } from '../model/quantization.js';
import { isPacked, type Weight } from '../model/weight.js';
import { checkOptionNames, type OptionNames } from '../options.js';
import {
  REWRITE_OPTIONS,
  type RewriteOptions,
  type RewrittenCheckpoint,
  rewriteCheckpoint,
} from './rewrite.js';

export interface DecompressOptions extends RewriteOptions {
  /**
   * Type of all floats. f32, the default, keeps the values that are computed with; f16 and bf16 take half the
   * room and round.
   */
  readonly dtype?: FloatType | undefined;
}

const DECOMPRESS_OPTIONS: OptionNames<DecompressOptions> = { dtype: true, ...REWRITE_OPTIONS };

/** The types by the names that PyTorch, and so config.json, has for them. */
const TORCH_TYPES: Readonly<Record<FloatType, string>> = {
  f32: 'float32',
  f16: 'float16',
  bf16: 'bfloat16',
};
/** Keys of config.json that say the type of the weights; the second one is newer. */
const TYPE_KEYS: readonly string[] = ['torch_dtype', 'dtype'];

export const FLOAT_TYPE_NAMES = Object.keys(TORCH_TYPES) as FloatType[];

export type DecompressResult = RewrittenCheckpoint;

/**
 * Writes the compressed checkpoint at `location` as floats to `out`, as `rewriteCheckpoint` does: scale * q + bias
 * of every weight, rounded once to float32 and from there to `dtype`. config.json says nothing of quantization then;
 * texts are kept.
 * @throws as `rewriteCheckpoint`, UnsupportedError for a source without compressed weights, FormatError naming a
 *   value beyond what `dtype` holds
 */
export async function decompressModel(
  location: string,
  out: string,
  options: DecompressOptions = {},
): Promise<DecompressResult> {
  checkOptionNames('decompress', options, DECOMPRESS_OPTIONS);
  const { dtype = 'f32' } = options;
  if (!FLOAT_TYPE_NAMES.includes(dtype)) {
    const expected = FLOAT_TYPE_NAMES.join(', ');
    throw new OptionError(`[decompress] dtype: expected ${expected}, came ${show(dtype)}`);
  }
  return rewriteCheckpoint(location, out, options, ({ weights, rawConfig }) => {
    checkPacked(weights.values(), location);
    const tensors = Array.from(weights.values(), (weight) => ({ weight, scheme: dtype }));
    const config = withoutQuantization(rawConfig);
    for (const key of TYPE_KEYS) if (key in config) config[key] = TORCH_TYPES[dtype];
    // What others that load safetensors insist on.
    return { stage: 'decompress', format: 'pt', tensors, config };
  });
}

function checkPacked(weights: Iterable<Weight>, location: string): void {
  const all = [...weights];
  if (all.some(isPacked)) return;
  const came = `all ${all.length} of them are floats already`;
  throw new UnsupportedError(`[${location}] expected compressed weights, ${came}`);
}
