// A text to token ids, in the order of Hugging Face's tokenizers: added tokens, normalizer, added tokens again,
// pre-tokenizer, model. It runs in steps, so that whoever waits for a long text can stop it.

import type { Tokenizer } from '@huggingface/tokenizers';
import type { JsonObject } from '../model/json_fields.js';
import type { AddedTokens } from './added_tokens.js';
import type { Normalize, PreTokenize } from './stages.js';
import { TokenIds } from './token_ids.js';
import { inPart } from './tokenizer_parts.js';
import { type EncodeWord, wordModel } from './word_models.js';

/** Characters that are one step. */
const STEP = 20_000;

interface EncoderParts {
  readonly model: NonNullable<Tokenizer['model']>;
  readonly added: AddedTokens;
  readonly normalize: Normalize | null;
  readonly preTokenize: PreTokenize;
  /** tokenizer_config.json */
  readonly settings: JsonObject;
}

export class Encoder {
  readonly #parts: EncoderParts;
  readonly #encodeWord: EncodeWord;

  constructor(parts: EncoderParts) {
    this.#parts = parts;
    this.#encodeWord = wordModel(parts.model, (token) => this.idOf(token));
  }

  /** The id of a token, else of the unknown one. */
  idOf(token: string): number | undefined {
    const { model, added } = this.#parts;
    return added.get(token)?.id ?? model.tokens_to_ids.get(token) ?? model.unk_token_id;
  }

  /** The text of a token that a model with this vocabulary has. */
  tokenOf(id: number): string | undefined {
    return this.#parts.model.vocab[id];
  }

  get preTokenize(): PreTokenize {
    return this.#parts.preTokenize;
  }

  /**
   * @param preTokenize in the place of the file's own
   * @throws FormatError for a part of tokenizer.json that cannot be used on this text
   */
  *encode(text: string, preTokenize = this.preTokenize): Generator<void, number[]> {
    const { added, normalize } = this.#parts;
    const ids = this.#noIds();
    const sections = yield* added.split(text, false);
    for (const [i, section] of sections.entries()) {
      const token = added.get(section);
      ids.begin();
      if (token) ids.push(token.id);
      else {
        const prepared = this.#prepare(section);
        const normalized = prepared !== '' && normalize ? normalize(prepared) : prepared;
        yield* this.#encodeNormalized(normalized, i, ids, preTokenize);
      }
    }
    return ids.list;
  }

  /** Ids of words that the pre-tokenizer has made. */
  idsOfWords(words: Iterable<string>): number[] {
    const ids = this.#noIds();
    ids.begin();
    for (const word of words) {
      const steps = this.#encodeWord(word, ids)[Symbol.iterator]();
      while (!steps.next().done);
    }
    return ids.list;
  }

  #noIds(): TokenIds {
    const { unk_token_id: unknown, fuse_unk: fuses } = this.#parts.model;
    return new TokenIds(unknown, fuses);
  }

  *#encodeNormalized(
    text: string,
    section: number,
    ids: TokenIds,
    preTokenize: PreTokenize,
  ): Generator<void> {
    const { added } = this.#parts;
    for (const part of yield* added.split(text, true)) {
      const token = added.get(part);
      ids.begin();
      if (token) ids.push(token.id);
      else if (part !== '') yield* this.#encodeWords(part, section, ids, preTokenize);
    }
  }

  *#encodeWords(
    text: string,
    section: number,
    ids: TokenIds,
    preTokenize: PreTokenize,
  ): Generator<void> {
    let characters = 0;
    const words = inPart('pre_tokenizer', () => preTokenize(text, section)[Symbol.iterator]());
    for (;;) {
      const next = inPart('pre_tokenizer', () => words.next());
      if (next.done) return;
      yield* this.#encodeWord(next.value, ids);
      characters += next.value.length;
      if (characters < STEP) continue;
      characters = 0;
      yield;
    }
  }

  /** What some tokenizers do to a text before tokenizer.json has its say. */
  #prepare(text: string): string {
    const { remove_space: removesSpace, do_lowercase_and_remove_accent: folds } =
      this.#parts.settings;
    const spaced = removesSpace === true ? text.trim().split(/\s+/).join(' ') : text;
    return folds === true ? spaced.toLowerCase().replace(/\p{M}/gu, '') : spaced;
  }
}
