// Control tokens, which open and close turns and texts, and texts in which they are mere characters.

import type { Encoder } from './encoder.js';
import type { Ranges } from './ranges.js';

/** Not all that open a turn are marked special: `<｜User｜>` is not. */
const LIKE_CONTROL = /^<[|｜].*[|｜]>$/;
const PRIVATE_USE = 0xe000;

/** The texts of control tokens, to be found in other texts. */
export class ControlTokens {
  readonly texts: readonly string[];
  readonly #known: ReadonlySet<string>;
  readonly #lengths: readonly number[];
  readonly #firstCharacters: ReadonlySet<string>;

  /** @param others such as BOS and EOS, which need not be marked special */
  constructor(
    added: readonly { readonly content: string; readonly special: boolean }[],
    others: readonly string[],
  ) {
    const control = added.filter(({ special, content }) => special || LIKE_CONTROL.test(content));
    const texts = [...control.map(({ content }) => content), ...others];
    this.#known = new Set(texts.filter((text) => text !== ''));
    this.texts = [...this.#known];
    this.#lengths = [...new Set(this.texts.map(({ length }) => length))];
    this.#firstCharacters = new Set(this.texts.map((text) => text.charAt(0)));
  }

  has(token: string): boolean {
    return this.#known.has(token);
  }

  /** Where control tokens begin that touch one of the ranges. */
  touching(text: string, ranges: Ranges): number[] {
    const touched = new Uint8Array(text.length);
    for (const [begin, end] of ranges) touched.fill(1, begin, end);
    const begins: number[] = [];
    for (let at = 0; at < text.length; at++) {
      if (!this.#firstCharacters.has(text[at]!)) continue;
      const isFound = (length: number) =>
        this.has(text.slice(at, at + length)) && touched.subarray(at, at + length).includes(1);
      if (this.#lengths.some(isFound)) begins.push(at);
    }
    return begins;
  }
}

/**
 * Encodes a text in whose ranges control tokens are text, as `split_special_tokens` of transformers has it: their
 * first character is another one while added tokens are looked for, and is put back before the model sees it.
 */
export function encodeAsText(
  encoder: Encoder,
  control: ControlTokens,
  text: string,
  ranges: Ranges,
): Generator<void, number[]> {
  const begins = control.touching(text, ranges);
  if (begins.length === 0) return encoder.encode(text);
  const standIns = new StandIns(text, begins);
  const wordsOf = (part: string, section: number) => [
    ...encoder.preTokenize(standIns.putBack(part), section),
  ];
  return encoder.encode(standIns.text, (part, section) => {
    const words = wordsOf(part, section);
    // Merges may make the token of its characters; not if they lie in two words.
    const isControl = (id: number) => control.has(encoder.tokenOf(id) ?? '');
    if (!standIns.isIn(part) || !encoder.idsOfWords(words).some(isControl)) return words;
    return standIns.split(part).flatMap((piece) => wordsOf(piece, section));
  });
}

/** Private-use characters that stand for others. */
class StandIns {
  /** With stand-ins. */
  readonly text: string;
  readonly #original = new Map<string, string>();

  constructor(text: string, at: readonly number[]) {
    const standIns = new Map<string, string>();
    let code = PRIVATE_USE;
    for (const character of new Set(at.map((index) => text[index]!))) {
      while (text.includes(String.fromCharCode(code))) code++;
      standIns.set(character, String.fromCharCode(code));
      this.#original.set(String.fromCharCode(code++), character);
    }
    let from = 0;
    let changed = '';
    for (const index of at) {
      changed += text.slice(from, index) + standIns.get(text[index]!);
      from = index + 1;
    }
    this.text = changed + text.slice(from);
  }

  isIn(text: string): boolean {
    return [...this.#original.keys()].some((one) => text.includes(one));
  }

  putBack(text: string): string {
    let result = text;
    for (const [one, original] of this.#original) result = result.replaceAll(one, () => original);
    return result;
  }

  /** Behind every stand-in. */
  split(text: string): string[] {
    return text.split(new RegExp(`(?<=[${[...this.#original.keys()].join('')}])`));
  }
}
