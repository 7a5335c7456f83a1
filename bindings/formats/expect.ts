// What the fields of a format may say.

import { UnsupportedError } from '../errors.js';
import type { FieldReader } from './codec.js';

/** @throws UnsupportedError unless `came` is one of `known` */
export function expectOneOf<T>(
  fields: FieldReader,
  key: string,
  came: T,
  known: readonly T[],
): void {
  if (known.includes(came)) return;
  const last = known.length > 1 ? `${known.slice(0, -1).join(', ')} and ` : '';
  const only = `only ${last}${known.at(-1)}`;
  throw new UnsupportedError(`${fields.at(key)}: ${came} is not supported, ${only}`);
}

/** @throws UnsupportedError for a field that is not among `keys` */
export function expectOnlyKeys(fields: FieldReader, keys: readonly string[], what: string): void {
  for (const key of fields.keys()) {
    if (keys.includes(key)) continue;
    throw new UnsupportedError(`${fields.at(key)}: not understood, ${what} have no such option`);
  }
}
