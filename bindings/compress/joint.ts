// Two schemes one after the other, as Core ML calls it joint: pruning, then codes for the weights that are left.

import { OptionError, UnsupportedError } from '../errors.js';
import { NOT_SPARSE, runsSparse, sparseFormat } from '../formats/sparse.js';
import { describe, isJsonObject } from '../model/json_fields.js';
import type { PackedScheme } from './fit/fit.js';

/**
 * @param schemes as they stand in a recipe
 * @param parse makes a scheme of one of them; null: none
 * @throws OptionError unless it is pruning and a scheme of codes, UnsupportedError for codes that have no mask yet
 */
export function parseJoint(
  schemes: readonly unknown[],
  parse: (json: unknown, where: string) => PackedScheme | null,
  where: string,
): PackedScheme {
  const [first, second] = schemes.map((one, i) => parse(one, `${where}[${i}]`));
  if (schemes.length !== 2 || !first?.prune || !second || second.prune) {
    const came = schemes.map((one) => describe(isJsonObject(one) ? one.type : one)).join(', ');
    const expected = 'expected prune and a scheme of codes';
    throw new OptionError(`[recipe] ${where}: ${expected}, came ${came || 'none'}`);
  }
  const { type, format, tables, quantizer, weightThreshold } = second;
  const refuse = (what: string) =>
    new UnsupportedError(`[recipe] ${where}[1]: ${what} of pruned weights is not supported yet`);
  if (tables) throw refuse(`mode ${tables.mode}`);
  if (quantizer) throw refuse(`fit ${quantizer}`);
  const json = schemes[1];
  if (isJsonObject(json) && json.outlier_threshold !== undefined) throw refuse('outlier_threshold');
  if (!runsSparse(format)) throw new UnsupportedError(`[recipe] ${where}[1]: ${NOT_SPARSE}`);
  const least = Math.max(first.weightThreshold ?? 0, weightThreshold ?? 0);
  const threshold = least > 0 ? { weightThreshold: least } : {};
  return { type, format: sparseFormat(format), prune: first.prune, ...threshold };
}
