// A word to token ids, by the three kinds of model there are. The tables are the library's; the work on long words is
// done here, step by step and in memory that is known, for a sentencepiece model makes one word of a whole prompt.

import { BPE, type Tokenizer, Unigram } from '@huggingface/tokenizers';
import { Merging, Symbols } from './merging.js';
import type { TokenIds } from './token_ids.js';

type Model = NonNullable<Tokenizer['model']>;
type IdOf = (token: string) => number | undefined;

/** Adds the ids of a word; of a long one step by step, with time between them to turn to something else. */
export type EncodeWord = (word: string, ids: TokenIds) => Iterable<void>;

/** Characters of a word that is done at once and remembered, and how many are. */
const SHORT = 256;
const MOST_REMEMBERED = 10_000;
/** Merges or characters of a long word that are one step. */
const STEP = 10_000;
const AT_ONCE: Iterable<void> = [];

export function wordModel(model: Model, idOf: IdOf): EncodeWord {
  if (model instanceof BPE) return new BpeWords(model, idOf).encode;
  if (model instanceof Unigram) return (word, ids) => mostLikely(model, word, ids);
  return (word, ids) => {
    for (const token of model.encode([word])) ids.push(idOf(token));
    return AT_ONCE;
  };
}

class BpeWords {
  readonly #model: BPE;
  readonly #idOf: IdOf;
  readonly #symbols: Symbols;
  readonly #short: Merging;
  readonly #remembered = new Map<string, readonly (number | undefined)[]>();
  /** By symbol; several where it is written in bytes, none where it has no token. */
  readonly #ids: (readonly (number | undefined)[] | undefined)[] = [];

  constructor(model: BPE, idOf: IdOf) {
    this.#model = model;
    this.#idOf = idOf;
    this.#symbols = new Symbols(model.bpe_ranks);
    this.#short = new Merging(this.#symbols, SHORT);
  }

  encode = (word: string, ids: TokenIds): Iterable<void> => {
    const { ignore_merges: wholeFirst, tokens_to_ids: known } = this.#model;
    if (wholeFirst && known.has(word)) {
      ids.push(this.#idOf(word));
      return AT_ONCE;
    }
    if (word.length > SHORT) return this.#long(word, ids);
    let found = this.#remembered.get(word);
    if (found === undefined) {
      this.#start(this.#short, word);
      this.#short.merge(Number.POSITIVE_INFINITY);
      found = Array.from(this.#short.result(), (symbol) => this.#idsOf(symbol)).flat();
      if (this.#remembered.size === MOST_REMEMBERED) this.#remembered.clear();
      this.#remembered.set(word, found);
    }
    for (const id of found) ids.push(id);
    return AT_ONCE;
  };

  *#long(word: string, ids: TokenIds): Generator<void> {
    const merging = new Merging(this.#symbols, word.length);
    yield* this.#starting(merging, word);
    while (!merging.merge(STEP)) yield;
    let count = 0;
    for (const symbol of merging.result()) {
      for (const id of this.#idsOf(symbol)) ids.push(id);
      if (++count % STEP === 0) yield;
    }
  }

  #start(merging: Merging, word: string): void {
    for (const _ of this.#starting(merging, word));
  }

  *#starting(merging: Merging, word: string): Generator<void> {
    const suffix = this.#model.end_of_word_suffix ?? '';
    merging.start();
    let at = 0;
    for (const character of word) {
      at += character.length;
      merging.add(this.#symbols.of(at === word.length ? character + suffix : character));
      if (at % STEP === 0) yield;
    }
  }

  #idsOf(symbol: number): readonly (number | undefined)[] {
    this.#ids[symbol] ??= this.#lookUp(this.#symbols.texts[symbol]!);
    return this.#ids[symbol]!;
  }

  #lookUp(text: string): readonly (number | undefined)[] {
    const { byte_fallback: inBytes, unk_token: unknown, tokens_to_ids: known } = this.#model;
    if (known.has(text)) return [this.#idOf(text)];
    if (inBytes) {
      const bytes = Array.from(new TextEncoder().encode(text), byteToken);
      if (bytes.every((token) => known.has(token))) return bytes.map(this.#idOf);
    }
    return unknown == null ? [] : [this.#idOf(unknown)];
  }
}

function byteToken(byte: number): string {
  return `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`;
}

/** The way through a word whose tokens have the largest sum of scores; of equal ones that with the longer last token. */
function* mostLikely(model: Unigram, word: string, ids: TokenIds): Generator<void> {
  const best = new Float64Array(word.length + 1);
  /** Where the best token that ends at a place begins, or -1; and its id. */
  const from = new Int32Array(word.length + 1).fill(-1);
  const tokens = new Int32Array(word.length + 1);
  const relax = (begin: number, end: number, score: number, id: number) => {
    const sum = best[begin]! + score;
    if (from[end]! >= 0 && sum <= best[end]!) return;
    best[end] = sum;
    from[end] = begin;
    tokens[end] = id;
  };
  for (let begin = 0; begin < word.length; ) {
    const next = begin + characterLength(word, begin);
    let hasOwn = false;
    let node = model.trie.root.children.get(word.slice(begin, next));
    for (let end = next; node !== undefined; ) {
      if (node.is_leaf) {
        const id = model.tokens_to_ids.get(word.slice(begin, end))!;
        relax(begin, end, model.scores[id]!, id);
        hasOwn ||= end === next;
      }
      if (end === word.length) break;
      const behind = end + characterLength(word, end);
      node = node.children.get(word.slice(end, behind));
      end = behind;
    }
    if (!hasOwn) relax(begin, next, model.unk_score, model.unk_token_id ?? -1);
    if (Math.floor(begin / STEP) !== Math.floor(next / STEP)) yield;
    begin = next;
  }
  const way: number[] = [];
  for (let end = word.length; end > 0; end = from[end]!) way.push(tokens[end]!);
  for (const id of way.reverse()) ids.push(id < 0 ? undefined : id);
}

function characterLength(text: string, at: number): number {
  return text.codePointAt(at)! > 0xffff ? 2 : 1;
}
