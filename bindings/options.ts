// Options by name: one that is misspelt is refused, not dropped.

import { OptionError, show } from './errors.js';

/** Every name of an options type; a list that forgets one does not compile. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/**
 * @param where for messages: the call, or the option whose value this is
 * @throws OptionError unless `options` is an object with none but these names
 */
export function checkOptionNames(where: string, options: object, names: OptionNames<object>): void {
  if (typeof options !== 'object' || options === null) {
    throw new OptionError(`[${where}] options: expected an object, came ${show(options)}`);
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(names, name)) throw unknownOption(where, name, Object.keys(names));
  }
}

/** @param known as they are to be typed */
export function unknownOption(where: string, name: string, known: readonly string[]): OptionError {
  return new OptionError(`[${where}] no option ${name}; ${propose(name, known)}`);
}

/** What to use instead of a name that there is not. */
export function propose(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  return near === null ? `expected ${known.join(', ')}` : `did you mean ${near}?`;
}

/** The name that was probably meant: one that differs in fewer than half of the letters, case and dashes aside. */
export function nearestName(name: string, known: readonly string[]): string | null {
  const wanted = letters(name);
  let nearest: string | null = null;
  let least = wanted.length / 2;
  for (const candidate of known) {
    const distance = editDistance(wanted, letters(candidate));
    if (distance >= least) continue;
    least = distance;
    nearest = candidate;
  }
  return nearest;
}

function letters(name: string): string {
  return name.toLowerCase().replace(/[-_]/g, '');
}

/** Letters to insert, remove or replace: Levenshtein's distance, row by row. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}
