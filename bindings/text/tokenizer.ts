// Text to token ids and back, as Hugging Face's tokenizers do it.

import { FormatError, OptionError, show } from '../errors.js';
import { describe, isJsonObject, type JsonObject, parseJsonObject } from '../model/json_fields.js';
import { nextTask } from '../platform/next_task.js';
import { AddedTokens } from './added_tokens.js';
import { ControlTokens, encodeAsText } from './control_tokens.js';
import { Encoder } from './encoder.js';
import { type LibraryParts, readTokenizer } from './library.js';
import type { Ranges } from './ranges.js';
import { around, type Decode, decoder, normalizer, preTokenizer } from './stages.js';

export interface Tokenizer {
  readonly bosTokenId: number | null;
  /** Tokens that end a text: the config's, else the tokenizer's own. */
  readonly eosTokenIds: readonly number[];
  /** As templates want them; null where the tokenizer names none. */
  readonly bosToken: string | null;
  readonly eosToken: string | null;
  /** Texts of the tokens that open and close turns and texts. */
  readonly controlTokens: readonly string[];
  /** Ids the tokenizer knows lie below this. */
  readonly vocabSize: number;
  /** @throws FormatError for a part of tokenizer.json that cannot be used on this text */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * The same ids, with the event loop turning between pieces of a long text.
   * @throws as `encode`, `signal.reason` when aborted
   */
  encodeAsync(text: string, options?: EncodeAsyncOptions): Promise<number[]>;
  /**
   * @param options.skipSpecialTokens leaves special tokens out; default true
   * @throws OptionError for a number that is no id, FormatError for a decoder that cannot be used
   */
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
  /** Whether `decode` leaves this token out. */
  isSpecial(id: number): boolean;
}

export interface EncodeOptions {
  /**
   * BOS (and what else the tokenizer puts around a text); default true. False for text that a chat template made. BOS
   * is never doubled.
   */
  readonly addSpecialTokens?: boolean | undefined;
  /**
   * Ranges of the text's characters; a control token that touches one is text, as `split_special_tokens` of
   * transformers has it.
   */
  readonly asText?: Ranges | undefined;
}

export interface EncodeAsyncOptions extends EncodeOptions {
  readonly signal?: AbortSignal | undefined;
}

/** The texts of a checkpoint that make a tokenizer. */
export interface TokenizerTexts {
  readonly tokenizer: string | null;
  readonly tokenizerConfig: string | null;
}

/** What the model's config says about tokens. */
export interface TokenConfig {
  readonly vocabSize: number;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
}

/** What stands before and behind a text. */
interface Around {
  readonly before: readonly number[];
  readonly after: readonly number[];
}

/**
 * @throws FormatError if tokenizer.json is missing, damaged, or has ids the model has no embedding
 *   for; UnsupportedError for a kind of tokenizer that is not known
 */
export function createTokenizer(texts: TokenizerTexts, config: TokenConfig): Tokenizer {
  if (texts.tokenizer === null) throw new FormatError('[tokenizer.json] is missing');
  const parts = readTokenizer(texts.tokenizer, config.vocabSize);
  const settings =
    texts.tokenizerConfig === null
      ? {}
      : parseJsonObject(texts.tokenizerConfig, 'tokenizer_config.json');
  return new WrappedTokenizer(parts, settings, config);
}

class WrappedTokenizer implements Tokenizer {
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
  readonly bosToken: string | null;
  readonly eosToken: string | null;
  readonly vocabSize: number;
  readonly #model: LibraryParts['model'];
  readonly #encoder: Encoder;
  readonly #decode: Decode;
  readonly #special = new Set<number>();
  readonly #control: ControlTokens;
  readonly #around: Around;

  constructor(parts: LibraryParts, settings: JsonObject, config: TokenConfig) {
    const { model } = parts;
    const normalize = normalizer(parts.normalizer);
    const added = new AddedTokens(parts.addedTokens, normalize);
    added.addTo(model);
    const preTokenize = preTokenizer(parts.pre_tokenizer);
    this.#model = model;
    this.#encoder = new Encoder({ model, added, normalize, preTokenize, settings });
    this.#decode = decoder(parts.decoder, added.all, model.end_of_word_suffix ?? '');
    this.vocabSize = parts.vocabSize;
    for (const { id, special } of added.all) if (special) this.#special.add(id);
    this.bosToken = tokenText(settings.bos_token);
    this.eosToken = tokenText(settings.eos_token);
    this.bosTokenId = this.#idOf(this.bosToken) ?? config.bosTokenId;
    const eos = this.#idOf(this.eosToken);
    this.eosTokenIds = config.eosTokenIds.length > 0 || eos === null ? config.eosTokenIds : [eos];
    const ends = [this.bosTokenId, ...this.eosTokenIds].map((id) => model.vocab[id ?? -1]);
    const named = [this.bosToken, this.eosToken, ...ends].map((text) => text ?? '');
    this.#control = new ControlTokens(added.all, named);
    this.#around = this.#findAround(parts, settings, eos);
  }

  get controlTokens(): readonly string[] {
    return this.#control.texts;
  }

  encode(text: string, options?: EncodeOptions): number[] {
    const steps = this.#steps(text, options);
    for (;;) {
      const step = steps.next();
      if (step.done) return this.#complete(step.value, options);
    }
  }

  async encodeAsync(text: string, options?: EncodeAsyncOptions): Promise<number[]> {
    const steps = this.#steps(text, options);
    for (;;) {
      options?.signal?.throwIfAborted();
      const step = steps.next();
      if (step.done) return this.#complete(step.value, options);
      await nextTask();
    }
  }

  decode(ids: readonly number[], { skipSpecialTokens = true } = {}): string {
    const known: string[] = [];
    for (const id of ids) {
      if (!Number.isInteger(id) || id < 0) {
        throw new OptionError(`[decode] expected token ids, came ${show(id)}`);
      }
      // Models round their vocabulary up: ids beyond the tokenizer's mean nothing.
      const token = this.#model.vocab[id];
      if (token === undefined) continue;
      if (!skipSpecialTokens || !this.#special.has(id)) known.push(token);
    }
    return known.length === 0 ? '' : this.#decode(known);
  }

  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }

  #steps(text: string, { asText = [] }: EncodeOptions = {}): Generator<void, number[]> {
    return encodeAsText(this.#encoder, this.#control, text, asText);
  }

  #complete(plain: number[], { addSpecialTokens = true }: EncodeOptions = {}): number[] {
    if (!addSpecialTokens) return plain;
    const { before, after } = this.#around;
    const ids = [...before, ...plain, ...after];
    const bos = this.bosTokenId;
    if (bos !== null && plain[0] === bos && ids[0] === bos && ids[1] === bos) ids.shift();
    return ids;
  }

  /** For Llama the settings say what stands around a text, else the post-processor does. */
  #findAround(parts: LibraryParts, settings: JsonObject, eos: number | null): Around {
    const { before, after } = around(parts.post_processor);
    if (/^Llama/.test(String(settings.tokenizer_class))) {
      const bos = settings.add_bos_token === false ? null : this.bosTokenId;
      return {
        before: bos === null ? [] : [bos],
        after: settings.add_eos_token === true && eos !== null ? [eos] : [],
      };
    }
    const idsOf = (tokens: readonly string[]) =>
      tokens.map((token) => {
        const id = this.#encoder.idOf(token);
        if (id !== undefined) return id;
        const what = `expected tokens, came ${describe(token)}, which is none`;
        throw new FormatError(`[tokenizer.json] post_processor: ${what}`);
      });
    return { before: idsOf(before), after: idsOf(after) };
  }

  #idOf(token: string | null): number | null {
    return token === null ? null : (this.#model.tokens_to_ids.get(token) ?? null);
  }
}

/** A token of tokenizer_config.json: a string, or an object around one. */
function tokenText(token: unknown): string | null {
  if (typeof token === 'string') return token;
  if (isJsonObject(token) && typeof token.content === 'string') return token.content;
  return null;
}
