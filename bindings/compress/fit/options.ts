// Options of a recipe, as its author wrote them.

import { OptionError } from '../../errors.js';

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
