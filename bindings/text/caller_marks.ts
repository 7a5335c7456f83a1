// Which characters of a rendered prompt came from the caller. Templates trim, split and join what they are given,
// so the characters carry it themselves: before rendering, those that control tokens are written with are
// swapped for private-use ones that occur nowhere else, one for one; afterwards they are swapped back.

import { FormatError } from '../errors.js';

/** A text and the ranges of it, in order, whose characters the caller wrote. */
export interface MarkedText {
  readonly text: string;
  readonly ranges: readonly (readonly [begin: number, end: number])[];
}

/**
 * Letters, digits, blanks and what numbers and JSON are written with stay as they are, as templates change case,
 * trim, and read them.
 */
const STAYS = /[\w\s"'\\.+-]/;
const PRIVATE_USE = [0xe000, 0xf8ff] as const;

export class CallerMarks {
  readonly #toMark = new Map<string, string>();
  readonly #fromMark = new Map<string, string>();
  /** A character that is marked; never, if there is none. */
  readonly #unmarked: RegExp;
  readonly #marked: RegExp;
  /** As `tojson(ensure_ascii=true)` writes them. */
  readonly #markedOrEscaped: RegExp;

  /**
   * @param controlTokens texts of the tokens that callers' texts must not become; none: nothing is marked
   * @param taken all texts that take part, where no mark may occur, not even as \uXXXX
   */
  constructor(controlTokens: readonly string[], taken: string) {
    const characters = new Set<string>();
    const words: string[] = [];
    for (const token of controlTokens) {
      const changed = [...token].filter((one) => one.length === 1 && !STAYS.test(one));
      for (const one of changed) characters.add(one);
      // Of words only the first letter, and only where the whole token stands.
      if (changed.length === 0 && token !== '') words.push(token);
    }
    this.#assign([...characters, ...words.map((word) => word.charAt(0))], taken);
    const whole = words.map(
      (word) => `${patternOf(word.charAt(0))}(?=${patternOf(word.slice(1))})`,
    );
    this.#unmarked = new RegExp(
      [`[${patternOf([...characters].join(''))}]`, ...whole].join('|'),
      'g',
    );
    const marks = [...this.#fromMark.keys()].map(patternOf);
    this.#marked = new RegExp(`[${marks.join('')}]`, 'g');
    const escaped = marks.map((mark) => `\\${mark}`);
    this.#markedOrEscaped = new RegExp([`[${marks.join('')}]`, ...escaped].join('|'), 'g');
  }

  /** All texts in a value, those of keys too, as marked ones. */
  mark<T>(value: T): T {
    return this.#toMark.size === 0 ? value : (this.#markAll(value) as T);
  }

  isMarked(text: string): boolean {
    return text.search(this.#marked) >= 0;
  }

  plain(text: string): string {
    return text.replace(this.#marked, (mark) => this.#fromMark.get(mark)!);
  }

  /** A text as if the caller had written it. */
  cover(text: string): string {
    return text.replace(this.#unmarked, (one) => this.#toMark.get(one)!);
  }

  /** A text in which every `part`, whoever wrote it, is as if the caller had written it. */
  coverIn(text: string, part: string): string {
    const plain = this.plain(text);
    const covered = this.cover(part);
    let result = '';
    let from = 0;
    for (let at = plain.indexOf(part); at >= 0; at = plain.indexOf(part, from)) {
      result += text.slice(from, at) + covered;
      from = at + part.length;
    }
    return result + text.slice(from);
  }

  /** The rendered text without marks, and where they were. */
  settle(rendered: string): MarkedText {
    let text = '';
    let from = 0;
    const ranges: [number, number][] = [];
    for (const { 0: found, index } of rendered.matchAll(this.#markedOrEscaped)) {
      text += rendered.slice(from, index);
      from = index + found.length;
      const mark = found.length === 1 ? found : String.fromCharCode(parseInt(found.slice(2), 16));
      const character = this.#fromMark.get(mark)!;
      const [last] = ranges.slice(-1);
      if (last?.[1] === text.length) last[1]++;
      else ranges.push([text.length, text.length + 1]);
      text += found.length === 1 || character < '\x7f' ? character : unicodeEscape(character);
    }
    return { text: text + rendered.slice(from), ranges };
  }

  #assign(characters: readonly string[], taken: string): void {
    const occurring = new Set<string>();
    for (const [one] of taken.matchAll(/[\uE000-\uF8FF]|\\u(?:e.|f[0-8])../gi)) {
      occurring.add(one.toLowerCase());
    }
    let [code] = PRIVATE_USE as readonly [number, number];
    for (const character of new Set(characters)) {
      let mark = String.fromCharCode(code++);
      while (occurring.has(mark) || occurring.has(unicodeEscape(mark))) {
        mark = String.fromCharCode(code++);
      }
      if (code > PRIVATE_USE[1]) {
        throw new FormatError('[chat template] the messages use all private-use characters');
      }
      this.#toMark.set(character, mark);
      this.#fromMark.set(mark, character);
    }
  }

  #markAll(value: unknown): unknown {
    if (typeof value === 'string') return this.cover(value);
    if (Array.isArray(value)) return value.map((one) => this.#markAll(one));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([key, one]) => [this.cover(key), this.#markAll(one)]));
  }
}

function unicodeEscape(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/** For any place of a regular expression. */
function patternOf(text: string): string {
  return Array.from({ length: text.length }, (_, i) => unicodeEscape(text[i]!)).join('');
}
