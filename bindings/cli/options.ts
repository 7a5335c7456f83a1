// Command line options: declared once per command, parsed and printed as help from that declaration.

import { parseArgs } from 'node:util';
import { OptionError } from '../errors.js';
import { unknownOption } from '../options.js';

export interface OptionSpec {
  /** Placeholder of the value in the help; without one the option is a switch. */
  readonly value?: string;
  readonly short?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  readonly help: string;
}

export interface CommandSpec {
  readonly name: string;
  /** One line for the overview. */
  readonly summary: string;
  /** Lines after `halfbyte <name>`. */
  readonly usage: readonly string[];
  /** What it takes besides options; default: one MODEL. */
  readonly operands?: Operands;
  readonly options: Readonly<Record<string, OptionSpec>>;
}

export interface Operands {
  readonly least: number;
  readonly most: number;
  /** As messages say it. */
  readonly words: string;
}

export const NO_MODEL: Operands = { least: 0, most: 0, words: 'no MODEL' };
const ONE_MODEL: Operands = { least: 1, most: 1, words: 'one MODEL' };

/** What was given; read through the methods, which check. */
export class Options {
  /** The first operand. */
  readonly model: string;
  readonly operands: readonly string[];
  readonly #values: Readonly<
    Record<string, string | boolean | readonly (string | boolean)[] | undefined>
  >;

  constructor(
    operands: readonly string[],
    values: Readonly<Record<string, string | boolean | readonly (string | boolean)[] | undefined>>,
  ) {
    this.model = operands[0] ?? '';
    this.operands = operands;
    this.#values = values;
  }

  has(name: string): boolean {
    return this.#values[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  texts(name: string): string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.map(String) : [];
  }

  /** @throws OptionError if the option was not given */
  required(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new OptionError(`[--${name}] expected a value, came none`);
    return value;
  }

  /** @throws OptionError unless it is a finite number */
  number(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() === '' || !Number.isFinite(value)) {
      throw new OptionError(`[--${name}] expected a number, came "${text}"`);
    }
    return value;
  }

  /** @throws OptionError unless it is a whole number of at least `least` */
  whole(name: string, least: number): number | undefined {
    const value = this.number(name);
    if (value === undefined) return undefined;
    if (!Number.isSafeInteger(value) || value < least) {
      throw new OptionError(
        `[--${name}] expected a whole number of ${least} or more, came "${this.text(name)}"`,
      );
    }
    return value;
  }

  /** @throws OptionError unless it is one of `allowed` */
  choice<T extends string>(name: string, allowed: readonly T[]): T | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const found = allowed.find((value) => value === text);
    if (found === undefined) {
      throw new OptionError(`[--${name}] expected ${allowed.join(', ')}, came "${text}"`);
    }
    return found;
  }

  /** `--threads`: a number or auto. */
  threads(): number | 'auto' | undefined {
    return this.text('threads') === 'auto' ? 'auto' : this.whole('threads', 1);
  }
}

/** Options of several commands. */
export const COMMON: Readonly<Record<string, OptionSpec>> = {
  json: { help: 'print one JSON object on stdout' },
  help: { short: 'h', help: 'print this text' },
};

export const THREADS_AND_CACHE: Readonly<Record<string, OptionSpec>> = {
  threads: { value: 'N', help: 'threads, or auto (default: auto)' },
  'kv-cache': { value: 'T', help: 'f32, f16 or int8 (default: f32, f16 if compressed)' },
};

/**
 * Parses the words after the command's name.
 * @throws OptionError for unknown options, by the nearest name, missing values, and operands that it does not take
 */
export function parseOptions(spec: CommandSpec, words: readonly string[]): Options {
  const options = Object.fromEntries(
    Object.entries(spec.options).map(([name, { value, short, multiple }]) => [
      name,
      {
        type: value === undefined ? ('boolean' as const) : ('string' as const),
        ...(short === undefined ? {} : { short }),
        ...(multiple === undefined ? {} : { multiple }),
      },
    ]),
  );
  const parsed = parseWords(spec, words, options);
  const { values, positionals } = parsed;
  const { least, most, words: expected } = spec.operands ?? ONE_MODEL;
  if ((positionals.length < least || positionals.length > most) && values.help !== true) {
    const came = positionals.length === 0 ? 'none' : positionals.join(' ');
    throw new OptionError(`[${spec.name}] expected ${expected}, came ${came}`);
  }
  return new Options(positionals, values);
}

function parseWords(
  spec: CommandSpec,
  words: readonly string[],
  options: Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }>,
) {
  const args = joinValues(spec, words);
  checkNames(spec, args);
  try {
    return parseArgs({ args, options, strict: true, allowPositionals: true });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('. ')[0] as string) : `${error}`;
    throw new OptionError(`[${spec.name}] ${reason.replaceAll('\n', ' ')}`, { cause: error });
  }
}

function checkNames(spec: CommandSpec, words: readonly string[]): void {
  const known = Object.keys(spec.options).map((name) => `--${name}`);
  for (const word of words) {
    if (word === '--') return;
    const [name = ''] = word.split('=');
    if (name.startsWith('--') && !known.includes(name)) throw unknownOption(spec.name, name, known);
  }
}

/** Joins `--prompt "- text"` and `--temperature -1` to one word, as parseArgs takes values with a dash. */
function joinValues(spec: CommandSpec, words: readonly string[]): string[] {
  const joined: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    const next = words[i + 1];
    if (word === '--') return [...joined, ...words.slice(i)];
    const takesValue = word.startsWith('--') && spec.options[word.slice(2)]?.value !== undefined;
    if (takesValue && next?.startsWith('-') && !next.startsWith('--')) {
      joined.push(`${word}=${next}`);
      i++;
    } else {
      joined.push(word);
    }
  }
  return joined;
}
