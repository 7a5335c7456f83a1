// The syntax of a pattern: what a RegExp with the flag `u` may hold, but for back references.

import { UnsupportedError } from '../../errors.js';
import { CharacterSet } from './character_set.js';

export type PatternNode =
  | { readonly kind: 'set'; readonly set: CharacterSet }
  | { readonly kind: 'sequence'; readonly parts: readonly PatternNode[] }
  /** The first that lets the rest match. */
  | { readonly kind: 'either'; readonly choices: readonly PatternNode[] }
  | {
      readonly kind: 'repeat';
      readonly body: PatternNode;
      readonly least: number;
      readonly most: number;
      readonly lazy: boolean;
    }
  /** Looks ahead or behind, for something that must or must not be there. */
  | {
      readonly kind: 'look';
      readonly body: PatternNode;
      readonly behind: boolean;
      readonly negated: boolean;
    };

/** Groups within each other. */
const MOST_DEPTH = 100;
/** What matches one code point, characters that stand for themselves apart. */
const CLASS = /\[(?:[^\]\\]|\\.)*\]|\./sy;
const ESCAPE =
  /\\(?:[pP]\{[^}]*\}|u\{[^}]*\}|u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u[\da-fA-F]{4}|x[\da-fA-F]{2}|c[A-Za-z]|[^bBk1-9])/y;
const LITERAL = /[^\\^$.*+?()[\]{}|]/uy;
const GROUP = /\((?:\?(?::|=|!|<=|<!|<(?![=!])[^>]*>)|(?!\?))/y;
const QUANTIFIER = /(?:[*+?]|\{(\d+)(,?)(\d*)\})(\??)/y;

/**
 * @param source a valid pattern for the flag `u`
 * @throws UnsupportedError for what needs more than the characters around a place to decide whether it matches
 */
export function parsePattern(source: string): PatternNode {
  return new Parser(source).parse();
}

class Parser {
  readonly #source: string;
  readonly #sets = new Map<string, CharacterSet>();
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#source = source;
  }

  parse(): PatternNode {
    const node = this.#either();
    if (this.#at < this.#source.length) throw this.#unsupported();
    return node;
  }

  #either(): PatternNode {
    const choices = [this.#sequence()];
    while (this.#take('|')) choices.push(this.#sequence());
    return choices.length === 1 ? choices[0]! : { kind: 'either', choices };
  }

  #sequence(): PatternNode {
    const parts: PatternNode[] = [];
    while (this.#at < this.#source.length && !'|)'.includes(this.#source[this.#at]!)) {
      parts.push(this.#repeated());
    }
    return parts.length === 1 ? parts[0]! : { kind: 'sequence', parts };
  }

  #repeated(): PatternNode {
    const body = this.#atom();
    const found = this.#match(QUANTIFIER);
    if (found === null) return body;
    const [quantifier, first = '', comma, last, lazy] = found;
    const isCounted = first !== '';
    const least = isCounted ? Number(first) : quantifier.startsWith('+') ? 1 : 0;
    const open = isCounted ? comma !== '' && last === '' : !quantifier.startsWith('?');
    const most = open ? Number.POSITIVE_INFINITY : isCounted ? Number(last || first) : 1;
    if (isNullable(body)) {
      throw new UnsupportedError('repeats a part that can match nothing, which is not supported');
    }
    return { kind: 'repeat', body, least, most, lazy: lazy !== '' };
  }

  #atom(): PatternNode {
    const group = this.#match(GROUP)?.[0];
    if (group !== undefined) return this.#group(group);
    const text = (this.#match(CLASS) ?? this.#match(ESCAPE) ?? this.#match(LITERAL))?.[0];
    if (text === undefined) throw this.#unsupported();
    const set = this.#sets.get(text) ?? new CharacterSet(text);
    this.#sets.set(text, set);
    return { kind: 'set', set };
  }

  #group(opening: string): PatternNode {
    if (++this.#depth > MOST_DEPTH) {
      throw new UnsupportedError(`has more than ${MOST_DEPTH} groups within each other`);
    }
    const body = this.#either();
    this.#depth--;
    if (!this.#take(')')) throw this.#unsupported();
    if (!/^\(\?<?[=!]/.test(opening)) return body;
    return { kind: 'look', body, behind: opening[2] === '<', negated: opening.endsWith('!') };
  }

  #take(character: string): boolean {
    if (this.#source[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(expression: RegExp): RegExpExecArray | null {
    expression.lastIndex = this.#at;
    const found = expression.exec(this.#source);
    if (found) this.#at = expression.lastIndex;
    return found;
  }

  #unsupported(): UnsupportedError {
    const part = JSON.stringify(this.#source.slice(this.#at, this.#at + 10));
    return new UnsupportedError(`has ${part}, which is not supported`);
  }
}

function isNullable(node: PatternNode): boolean {
  switch (node.kind) {
    case 'set':
      return false;
    case 'sequence':
      return node.parts.every(isNullable);
    case 'either':
      return node.choices.some(isNullable);
    case 'repeat':
      return node.least === 0 || isNullable(node.body);
    case 'look':
      return true;
  }
}
