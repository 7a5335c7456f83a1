// Options of a recipe, as its author wrote them.

import { OptionError } from '../../errors.js';
import { activationsOf, withFloats } from '../../formats/activations.js';
import { formatName } from '../../formats/codecs.js';
import type { WeightFormat } from '../../formats/format.js';
import { describe } from '../../model/json_fields.js';

/** @throws OptionError for a key that is not among `names` */
export function expectKeys(
  options: Readonly<Record<string, unknown>>,
  names: readonly string[],
  where: string,
): void {
  for (const key of Object.keys(options)) {
    if (!names.includes(key)) throw new OptionError(`[recipe] ${where}: unknown key "${key}"`);
  }
}

/** An error of one option. */
export type Wrong = (key: string, expected: string) => OptionError;

export function wrongIn(options: Readonly<Record<string, unknown>>, where: string): Wrong {
  return (key, expected) => {
    const came = describe(options[key]);
    return new OptionError(`[recipe] ${where}.${key}: expected ${expected}, came ${came}`);
  };
}

/** The format with the recipe's `activations`. @throws OptionError for a word that the format does not run with */
export function withActivations(format: WeightFormat, came: unknown, where: string): WeightFormat {
  if (came === undefined) return format;
  const known = activationsOf(format);
  if (!known.some((word) => word === came)) {
    const expected = `expected ${known.join(' or ')} for ${formatName(format)}`;
    throw new OptionError(`[recipe] ${where}.activations: ${expected}, came ${describe(came)}`);
  }
  return came === 'float' ? withFloats(format) : format;
}
