// Options of the benchmarks, checked as the command line of halfbyte checks its own.

import { OptionError } from '../bindings/errors.js';

/** @throws OptionError unless `text` is a number of at least `least` */
export function atLeast(name: string, text: string, least: number): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value >= least) return value;
  throw new OptionError(`[--${name}] expected a number of ${least} or more, came "${text}"`);
}

/** @throws OptionError unless `text` is a whole number of at least `least` */
export function whole(name: string, text: string, least: number): number {
  const value = atLeast(name, text, least);
  if (Number.isSafeInteger(value)) return value;
  throw new OptionError(`[--${name}] expected a whole number, came "${text}"`);
}

/** `1,2`: one value, or two whose ratio is wanted. @throws OptionError for more */
export function oneOrTwo<T>(name: string, text: string, parse: (part: string) => T): T[] {
  const parts = text.split(',');
  if (parts.length <= 2) return parts.map(parse);
  throw new OptionError(`[--${name}] expected one value or two, came ${parts.length}`);
}

/** Runs a benchmark; bad options end it with exit code 2. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    process.exitCode = error instanceof OptionError ? 2 : 1;
  }
}
