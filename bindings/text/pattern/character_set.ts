// Code points that a class, an escape or a character of a pattern stands for.

const UNKNOWN = 0;
const NO = 1;
const YES = 2;

export class CharacterSet {
  /** The only code point it can be, or -1: a character that stands for itself. */
  readonly only: number;
  readonly #text: string;
  /** Answers of 256 code points, filled as they are asked for. */
  readonly #blocks: (Uint8Array | undefined)[] = [];
  #expression: RegExp | null = null;

  /** @param text as the pattern has it; what it means is asked of RegExp, so that no table of Unicode is needed */
  constructor(text: string) {
    this.#text = text;
    const isLiteral = !/^[\\[.]/.test(text);
    this.only = isLiteral ? text.codePointAt(0)! : -1;
  }

  has(codePoint: number): boolean {
    const known = this.#blocks[codePoint >> 8]?.[codePoint & 255] ?? UNKNOWN;
    return known === UNKNOWN ? this.#ask(codePoint) : known === YES;
  }

  #ask(codePoint: number): boolean {
    this.#expression ??= new RegExp(`^(?:${this.#text})$`, 'u');
    const answer = this.#expression.test(String.fromCodePoint(codePoint));
    this.#blocks[codePoint >> 8] ??= new Uint8Array(256);
    this.#blocks[codePoint >> 8]![codePoint & 255] = answer ? YES : NO;
    return answer;
  }
}
