// A pattern of tokenizer.json. RegExp would take exponential time for some and cannot be stopped, so patterns that
// come with a model are matched here, where time grows with the length of the text and no more.

import { FormatError, UnsupportedError } from '../../errors.js';
import { Matching } from './matching.js';
import { compilePattern, type Program } from './program.js';
import { parsePattern } from './syntax.js';

/** Characters [begin, end) of a text. */
export interface Match {
  readonly begin: number;
  readonly end: number;
}

export class Pattern {
  readonly #program: Program;
  readonly #where: string;

  /**
   * @param source as of a RegExp with the flag `u`
   * @param where the file and its part, for messages
   * @throws UnsupportedError for back references, for repeated parts that can match nothing, and for what is too large
   */
  constructor(source: string, where: string) {
    const shown = source.length > 60 ? `${source.slice(0, 60)}...` : source;
    this.#where = `[tokenizer.json] ${where}: the pattern ${JSON.stringify(shown)}`;
    this.#program = this.#named(() => compilePattern(parsePattern(source)));
  }

  /** All matches from left to right, as `matchAll` of a RegExp finds them. @throws FormatError if it takes too long */
  *matches(text: string): Generator<Match, void> {
    const matching = new Matching(this.#program, text);
    for (let begin = 0; begin <= text.length; ) {
      const end = this.#named(() => matching.endAt(begin));
      if (end >= 0) yield { begin, end };
      const isPair = (text.codePointAt(begin) ?? 0) > 0xffff;
      begin = end > begin ? end : begin + (isPair ? 2 : 1);
    }
  }

  #named<T>(run: () => T): T {
    try {
      return run();
    } catch (error) {
      const { message } = error as Error;
      const Kind = error instanceof UnsupportedError ? UnsupportedError : FormatError;
      throw new Kind(`${this.#where} ${message}`, { cause: error });
    }
  }
}
