// Tokens that are found in a text before anything else is done with it.

import { AddedToken, type Tokenizer } from '@huggingface/tokenizers';
import { FormatError } from '../errors.js';
import { describe, isJsonObject, type JsonObject } from '../model/json_fields.js';

/** Characters of a token; a text is searched for all of them at every place. */
export const MOST_CHARACTERS = 1024;
/** Places that are searched between two turns of the event loop. */
const STEP = 50_000;

/** The characters of tokens as a tree. */
interface Node {
  readonly next: Map<number, Node>;
  /** Length of the token that ends here, or 0. */
  length: number;
}

export class AddedTokens {
  readonly all: readonly AddedToken[];
  /** By content, and by what normalizing makes of it. */
  readonly #byContent = new Map<string, AddedToken>();
  /** Those that are looked for in the text as it comes, and in what normalizing made of it. */
  readonly #plain = newNode();
  readonly #normalized = newNode();

  /**
   * @param normalize null: there is no normalizer
   * @throws FormatError for damaged ones
   */
  constructor(tokens: readonly unknown[], normalize: ((text: string) => string) | null) {
    this.all = tokens.map((token) => new AddedToken(check(token)));
    for (const token of this.all) {
      this.#byContent.set(token.content, token);
      const normalized = token.normalized && normalize ? normalize(token.content) : null;
      if (normalized === null) insert(this.#plain, token.content);
      else {
        this.#byContent.set(normalized, token);
        insert(this.#normalized, normalized);
      }
    }
  }

  get(content: string): AddedToken | undefined {
    return this.#byContent.get(content);
  }

  /**
   * Makes them known to a model.
   * @throws FormatError for a token with two ids, or two tokens with one
   */
  addTo({ vocab, tokens_to_ids: ids }: NonNullable<Tokenizer['model']>): void {
    for (const { content, id } of this.all) {
      const other = vocab[id] ?? content;
      const otherId = ids.get(content) ?? id;
      if (other !== content) throw twoTokens(id, other, content);
      if (otherId !== id) throw twoIds(content, otherId, id);
      ids.set(content, id);
      vocab[id] = content;
    }
  }

  /** A text cut before and behind added tokens, in steps. */
  *split(text: string, isNormalized: boolean): Generator<void, string[]> {
    const root = isNormalized ? this.#normalized : this.#plain;
    const sections: string[] = [];
    let begin = 0;
    for (let at = 0, count = 1; at < text.length; count++) {
      const length = lengthAt(root, text, at);
      if (length > 0) {
        if (at > begin) sections.push(text.slice(begin, at));
        sections.push(text.slice(at, at + length));
        begin = at + length;
      }
      at += length || 1;
      if (count % STEP === 0) yield;
    }
    if (begin < text.length) sections.push(text.slice(begin));
    this.#strip(sections);
    return sections;
  }

  /** Some tokens take the white space around them along. */
  #strip(sections: string[]): void {
    for (const [i, section] of sections.entries()) {
      const token = this.#byContent.get(section);
      if (token?.lstrip && i > 0) sections[i - 1] = sections[i - 1]!.trimEnd();
      if (token?.rstrip && i < sections.length - 1) sections[i + 1] = sections[i + 1]!.trimStart();
    }
  }
}

export function twoTokens(id: unknown, token: string, other: string): FormatError {
  const came = `${describe(token)} and ${describe(other)}`;
  return new FormatError(`[tokenizer.json] id ${describe(id)}: expected one token, came ${came}`);
}

export function twoIds(token: string, id: unknown, other: unknown): FormatError {
  const came = `${describe(id)} and ${describe(other)}`;
  return new FormatError(`[tokenizer.json] ${describe(token)}: expected one id, came ${came}`);
}

function check(token: unknown): ConstructorParameters<typeof AddedToken>[0] {
  const { content } = (isJsonObject(token) ? token : {}) as JsonObject;
  if (typeof content !== 'string' || content === '' || content.length > MOST_CHARACTERS) {
    const expected = `expected a content of 1 to ${MOST_CHARACTERS} characters`;
    throw new FormatError(`[tokenizer.json] added_tokens: ${expected}, came ${describe(token)}`);
  }
  return token as ConstructorParameters<typeof AddedToken>[0];
}

function newNode(): Node {
  return { next: new Map(), length: 0 };
}

function insert(root: Node, content: string): void {
  let node = root;
  for (let i = 0; i < content.length; i++) {
    const unit = content.charCodeAt(i);
    const next = node.next.get(unit) ?? newNode();
    node.next.set(unit, next);
    node = next;
  }
  node.length = content.length;
}

/** Length of the longest token that begins at a place, or 0. */
function lengthAt(root: Node, text: string, begin: number): number {
  let length = 0;
  let node = root.next.get(text.charCodeAt(begin));
  for (let at = begin + 1; node !== undefined; at++) {
    if (node.length > 0) length = node.length;
    node = at < text.length ? node.next.get(text.charCodeAt(at)) : undefined;
  }
  return length;
}
