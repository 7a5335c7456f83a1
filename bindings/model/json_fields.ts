// Reading JSON that somebody else wrote: every field is checked, every error names file, field and
// value.

import { FormatError, show } from '../errors.js';

export type JsonObject = Readonly<Record<string, unknown>>;

/** Objects and arrays within each other; what walks over JSON may then call itself. */
const MOST_DEPTH = 100;
const QUOTE = 34;
const BACKSLASH = 92;

/** @throws FormatError if the text is no JSON object, or nested too deep */
export function parseJsonObject(text: string, name: string): JsonObject {
  checkJsonDepth(text, name);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`[${name}] expected JSON, came ${text.length} characters: ${reason}`, {
      cause,
    });
  }
  if (isJsonObject(value)) return value;
  throw new FormatError(`[${name}] expected a JSON object, came ${describe(value)}`);
}

/**
 * To be asked before JSON.parse.
 * @throws FormatError for brackets nested too deep; what else is wrong is left to JSON.parse
 */
export function checkJsonDepth(text: string, name: string): void {
  let depth = 0;
  let deepest = 0;
  for (let i = 0; i < text.length; i++) {
    // Brackets are 91, 93, 123 and 125: with bit 5 set, 123 and 125.
    const code = text.charCodeAt(i);
    if (code === QUOTE) i = endOfString(text, i);
    else if ((code | 32) === 123) deepest = Math.max(deepest, ++depth);
    else if ((code | 32) === 125) depth--;
  }
  if (deepest <= MOST_DEPTH) return;
  throw new FormatError(
    `[${name}] expected JSON at most ${MOST_DEPTH} levels deep, came ${deepest}`,
  );
}

/** Where the string ends that begins at `quote`. */
function endOfString(text: string, quote: number): number {
  for (let i = quote + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) return i;
    if (code === BACKSLASH) i++;
  }
  return text.length;
}

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A value as JSON, short enough for a message. */
export function describe(value: unknown): string {
  // 1e999 is read as Infinity, which JSON would write as null.
  if (typeof value === 'number') return String(value);
  try {
    const text = JSON.stringify(value) ?? 'nothing';
    return text.length > 60 ? `${text.slice(0, 60)}...` : text;
  } catch {
    // What callers give may be no JSON, or nested too deep to be written.
    return show(value);
  }
}

/** The fields of one object. `null` counts as absent. */
export class JsonFields {
  readonly #object: JsonObject;
  readonly #name: string;
  readonly #prefix: string;

  /**
   * @param name the file, for messages
   * @param prefix path of the object inside the file: `rope_scaling.`
   */
  constructor(object: JsonObject, name: string, prefix = '') {
    this.#object = object;
    this.#name = name;
    this.#prefix = prefix;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  get(key: string): unknown {
    return Object.hasOwn(this.#object, key) ? (this.#object[key] ?? undefined) : undefined;
  }

  /** An integer from `least` to `most`; without `absent` the field must be there. */
  integer(key: string, least: number, most: number, absent?: number): number {
    const value = this.get(key) ?? absent;
    if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) {
      return value as number;
    }
    throw this.wrong(key, `an integer from ${least} to ${most}`);
  }

  /** A number from `least` to `most`; without `absent` the field must be there. */
  number(key: string, least: number, most: number, absent?: number): number {
    const value = this.get(key) ?? absent;
    if (typeof value === 'number' && value >= least && value <= most) return value;
    throw this.wrong(key, `a number from ${least} to ${most}`);
  }

  /** A number above 0, at most `most`. */
  positive(key: string, most: number, absent?: number): number {
    const value = this.get(key) ?? absent;
    if (typeof value === 'number' && value > 0 && value <= most) return value;
    throw this.wrong(key, `a number above 0, at most ${most}`);
  }

  boolean(key: string, absent: boolean): boolean {
    const value = this.get(key) ?? absent;
    if (typeof value === 'boolean') return value;
    throw this.wrong(key, 'true or false');
  }

  string(key: string, absent?: string): string {
    const value = this.get(key) ?? absent;
    if (typeof value === 'string') return value;
    throw this.wrong(key, 'a string');
  }

  /** The object at `key`, null if there is none. */
  object(key: string): JsonFields | null {
    const value = this.get(key);
    if (value === undefined) return null;
    if (!isJsonObject(value)) throw this.wrong(key, 'an object');
    return new JsonFields(value, this.#name, `${this.#prefix}${key}.`);
  }

  keys(): string[] {
    return Object.keys(this.#object);
  }

  /** `[file] field: expected ..., came ...` */
  wrong(key: string, expected: string): FormatError {
    const came = Object.hasOwn(this.#object, key) ? describe(this.#object[key]) : 'nothing';
    return new FormatError(`${this.at(key)}: expected ${expected}, came ${came}`);
  }

  /** `[file] field` */
  at(key: string): string {
    return `[${this.#name}] ${this.#prefix}${key}`;
  }
}
