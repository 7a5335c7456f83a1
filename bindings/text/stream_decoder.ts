// Token ids to text, one by one: the pieces put together are what decoding all ids at once gives,
// and no piece holds half a character.
//
// How a token reads depends on those before it: bytes join into a character, and a leading space
// counts only at the start of the text. So the latest tokens are decoded together each time, and
// what is new is given out. A trailing U+FFFD may be a character whose bytes have not all come, and
// is held back.

import type { Tokenizer } from './tokenizer.js';

/** A character has at most 4 bytes, so at most 3 tokens before the last can belong to it. */
const KEPT = 4;
/**
 * The window is cut back to KEPT at this length: the cost of a token does not grow with the text.
 */
const WINDOW = 16;

const INCOMPLETE = '\uFFFD';

export class StreamDecoder {
  readonly #tokenizer: Pick<Tokenizer, 'decode' | 'isSpecial'>;
  readonly #skipSpecialTokens: boolean;
  #window: number[] = [];
  #text = '';
  /** Characters of `#text` given out. */
  #given = 0;

  /** @param options.skipSpecialTokens as for `Tokenizer.decode`; default true */
  constructor(
    tokenizer: Pick<Tokenizer, 'decode' | 'isSpecial'>,
    { skipSpecialTokens = true }: { readonly skipSpecialTokens?: boolean } = {},
  ) {
    this.#tokenizer = tokenizer;
    this.#skipSpecialTokens = skipSpecialTokens;
  }

  /** The text that `token` adds, together with what was held back. Often empty. */
  push(token: number): string {
    if (this.#skipSpecialTokens && this.#tokenizer.isSpecial(token)) return '';
    this.#window.push(token);
    this.#text = this.#decode();
    const piece = this.#take(completeLength(this.#text));
    if (this.#window.length >= WINDOW) this.#shorten();
    return piece;
  }

  /** What is still held back, at the end of the text. The decoder is as new afterwards. */
  flush(): string {
    const piece = this.#take(this.#text.length);
    this.#window = [];
    this.#text = '';
    this.#given = 0;
    return piece;
  }

  #take(end: number): string {
    const piece = this.#text.slice(this.#given, end);
    this.#given = Math.max(this.#given, end);
    return piece;
  }

  /** Held back is the same before and after: it lies within the tokens that are kept. */
  #shorten(): void {
    this.#window = this.#window.slice(-KEPT);
    this.#text = this.#decode();
    this.#given = completeLength(this.#text);
  }

  #decode(): string {
    return this.#tokenizer.decode(this.#window, { skipSpecialTokens: this.#skipSpecialTokens });
  }
}

function completeLength(text: string): number {
  return text.endsWith(INCOMPLETE) ? text.length - INCOMPLETE.length : text.length;
}
