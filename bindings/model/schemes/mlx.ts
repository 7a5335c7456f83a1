// MLX's metadata: one width for all modules, or an object or `false` for one. Whether a module without its own
// is packed, its scales tell.

import { FormatError, UnsupportedError } from '../../errors.js';
import { formatName } from '../../formats/codecs.js';
import { paddedK, type WeightFormat, withScaleType } from '../../formats/format.js';
import { linearFormat, parseAffine } from '../../formats/linear.js';
import { describe, type JsonFields } from '../json_fields.js';
import type { Meaning, Quantization } from './quantization.js';

/** Weights of a group, and bits of a code, that MLX has kernels for. */
export const MLX_GROUPS: readonly number[] = [32, 64, 128];
export const MLX_BITS: readonly number[] = [2, 3, 4, 5, 6, 8];
const OWN_KEYS: readonly string[] = ['group_size', 'bits', 'mode'];

export interface MlxQuantization extends Quantization {
  /** Modules that it says something of. */
  readonly named: readonly string[];
}

export function parseMlx(fields: JsonFields, key: string): MlxQuantization {
  const rest: Meaning = { format: parseAffine(fields, false), inFeatures: null };
  const meanings = new Map<string, Meaning | null>();
  for (const path of fields.keys()) {
    const value = fields.get(path);
    if (OWN_KEYS.includes(path) || value === undefined) continue;
    if (value === false) {
      meanings.set(path, null);
      continue;
    }
    const module = typeof value === 'object' ? fields.object(path) : null;
    if (!module) {
      throw new UnsupportedError(`${fields.at(path)}: ${describe(value)} is not understood`);
    }
    meanings.set(path, { format: parseAffine(module, false), inFeatures: null });
  }
  return {
    key,
    meaning: (path) => (meanings.has(path) ? meanings.get(path)! : rest),
    named: [...meanings.keys()],
    paths: [...meanings].flatMap(([path, meaning]) => (meaning ? [path] : [])),
  };
}

/**
 * MLX writes its object under two keys. Compares what is said of every module that one of the two names, and of all
 * others.
 * @param name the file, for messages
 * @throws FormatError if they do not mean the same
 */
export function checkSame(expected: MlxQuantization, came: MlxQuantization, name: string): void {
  const text = (meaning: Meaning | null) => (meaning ? formatName(meaning.format) : 'floats');
  for (const path of ['', ...expected.named, ...came.named]) {
    const [first, second] = [expected, came].map((one) => text(one.meaning(path)));
    if (first === second) continue;
    throw new FormatError(
      `[${name}] ${came.key}: expected ${first} for ${path || 'all weights'} as in ` +
        `${expected.key}, came ${second}`,
    );
  }
}

/**
 * The keys of config.json where MLX would read exactly the same weights: all of one format, with biases, and
 * no row padded. Null: it would not.
 */
export function mlxKeys(
  packed: readonly { readonly k: number; readonly format: WeightFormat }[],
): Record<string, unknown> | null {
  const first = packed[0]?.format;
  if (!first?.bias || !MLX_GROUPS.includes(first.scale!.k)) return null;
  if (!MLX_BITS.includes(first.bits)) return null;
  const { bits, scale } = first;
  const expected = JSON.stringify(linearFormat(bits, false, scale!.k));
  const same = packed.every(({ k, format }) => {
    // MLX has no word for anything else that a format may have.
    const came = JSON.stringify(withScaleType(format, 'f16'));
    return came === expected && paddedK(k) === k;
  });
  if (!same) return null;
  const quantization = { group_size: scale!.k, bits, mode: 'affine' };
  return { quantization, quantization_config: quantization };
}
