// Text to token ids and back, as Hugging Face's tokenizers do it.

import { Tokenizer as HuggingFaceTokenizer } from '@huggingface/tokenizers';
import { FormatError, OptionError, UnsupportedError } from '../errors.js';
import { describe, isJsonObject, type JsonObject, parseJsonObject } from '../model/json_fields.js';
import { readBpeTables } from './bpe_tables.js';
import { ControlTokens, encodeAsText, type Ranges } from './control_tokens.js';

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
  /**
   * @param options.addSpecialTokens BOS (and what else the tokenizer puts around a text); default
   *   true. False for text that a chat template made. BOS is never doubled.
   * @param options.asText ranges of the text's characters; a control token that touches one is text, as
   *   `split_special_tokens` of transformers has it
   */
  encode(text: string, options?: EncodeOptions): number[];
  /**
   * @param options.skipSpecialTokens leaves special tokens out; default true
   * @throws OptionError for a number that is no id
   */
  decode(ids: readonly number[], options?: { readonly skipSpecialTokens?: boolean }): string;
  /** Whether `decode` leaves this token out. */
  isSpecial(id: number): boolean;
}

export interface EncodeOptions {
  readonly addSpecialTokens?: boolean | undefined;
  readonly asText?: Ranges | undefined;
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

/** Parts of tokenizer.json that the library takes for granted. */
const REQUIRED = ['model', 'decoder', 'post_processor', 'pre_tokenizer', 'normalizer'];
/** Kinds of `model.type`. */
const MODELS = ['BPE', 'Unigram', 'WordPiece'];

/**
 * @throws FormatError if tokenizer.json is missing, damaged, or has ids the model has no embedding
 *   for; UnsupportedError for a kind of tokenizer that is not known
 */
export function createTokenizer(texts: TokenizerTexts, config: TokenConfig): Tokenizer {
  if (texts.tokenizer === null) throw new FormatError('[tokenizer.json] is missing');
  const tables = readBpeTables(texts.tokenizer, config.vocabSize);
  const file = tables?.file ?? parseJsonObject(texts.tokenizer, 'tokenizer.json');
  const settings =
    texts.tokenizerConfig === null
      ? {}
      : parseJsonObject(texts.tokenizerConfig, 'tokenizer_config.json');
  const vocabSize = Math.max(checkIds(file, config.vocabSize), tables?.vocabSize ?? 0);
  const tokenizer = buildTokenizer(file, settings);
  tables?.fill(tokenizer);
  return new WrappedTokenizer(tokenizer, settings, config, vocabSize);
}

class WrappedTokenizer implements Tokenizer {
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
  readonly bosToken: string | null;
  readonly eosToken: string | null;
  readonly vocabSize: number;
  readonly #tokenizer: HuggingFaceTokenizer;
  readonly #special = new Set<number>();
  readonly #control: ControlTokens;
  /**
   * What goes around a text, where the settings say so; null: the post-processor of tokenizer.json
   * says.
   */
  readonly #around: { readonly before: number[]; readonly after: number[] } | null;

  constructor(
    tokenizer: HuggingFaceTokenizer,
    settings: JsonObject,
    config: TokenConfig,
    vocabSize: number,
  ) {
    this.#tokenizer = tokenizer;
    this.vocabSize = vocabSize;
    for (const [id, token] of tokenizer.get_added_tokens_decoder()) {
      if (token.special) this.#special.add(id);
    }
    this.bosToken = tokenText(settings.bos_token);
    this.eosToken = tokenText(settings.eos_token);
    this.bosTokenId = this.#idOf(this.bosToken) ?? config.bosTokenId;
    const eos = this.#idOf(this.eosToken);
    this.eosTokenIds = config.eosTokenIds.length > 0 || eos === null ? config.eosTokenIds : [eos];
    const ends = [this.bosTokenId, ...this.eosTokenIds].map((id) =>
      tokenizer.id_to_token(id ?? -1),
    );
    const named = [this.bosToken, this.eosToken, ...ends].map((text) => text ?? '');
    this.#control = new ControlTokens(tokenizer, named);
    this.#around = /^Llama/.test(String(settings.tokenizer_class))
      ? {
          before:
            settings.add_bos_token !== false && this.bosTokenId !== null ? [this.bosTokenId] : [],
          after: settings.add_eos_token === true && eos !== null ? [eos] : [],
        }
      : null;
  }

  get controlTokens(): readonly string[] {
    return this.#control.texts;
  }

  encode(text: string, { addSpecialTokens = true, asText = [] }: EncodeOptions = {}): number[] {
    const plain = this.#ids(text, false, asText);
    if (!addSpecialTokens) return plain;
    const ids = this.#around
      ? [...this.#around.before, ...plain, ...this.#around.after]
      : this.#ids(text, true, asText);
    const bos = this.bosTokenId;
    if (bos !== null && plain[0] === bos && ids[0] === bos && ids[1] === bos) ids.shift();
    return ids;
  }

  decode(ids: readonly number[], { skipSpecialTokens = true } = {}): string {
    const known: number[] = [];
    for (const id of ids) {
      if (!Number.isInteger(id) || id < 0) {
        throw new OptionError(`[decode] expected token ids, came ${id}`);
      }
      // Models round their vocabulary up: ids beyond the tokenizer's mean nothing.
      if (this.#tokenizer.id_to_token(id) === undefined) continue;
      if (!skipSpecialTokens || !this.#special.has(id)) known.push(id);
    }
    if (known.length === 0) return '';
    // Cleaning up would take back spaces that a stream has already given out.
    return this.#tokenizer.decode(known, {
      skip_special_tokens: false,
      clean_up_tokenization_spaces: false,
    });
  }

  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }

  #ids(text: string, addSpecialTokens: boolean, asText: Ranges): number[] {
    if (text === '' && !addSpecialTokens) return [];
    if (asText.length > 0) {
      return encodeAsText(this.#tokenizer, this.#control, text, asText, (standing) =>
        this.#ids(standing, addSpecialTokens, []),
      );
    }
    const { ids } = this.#tokenizer.encode(text, { add_special_tokens: addSpecialTokens });
    if (ids.every((id) => Number.isInteger(id))) return ids;
    throw new FormatError(
      '[tokenizer.json] the text has a piece without a token, and no unk_token',
    );
  }

  #idOf(token: string | null): number | null {
    return token === null ? null : (this.#tokenizer.token_to_id(token) ?? null);
  }
}

function buildTokenizer(file: JsonObject, settings: JsonObject): HuggingFaceTokenizer {
  const missing = REQUIRED.filter((key) => !Object.hasOwn(file, key));
  if (missing.length > 0 || !isJsonObject(file.model)) {
    const what = missing.length > 0 ? `has no ${missing.join(', ')}` : 'model is no object';
    throw new FormatError(`[tokenizer.json] ${what}: not a tokenizer of Hugging Face`);
  }
  // The library takes a model it does not know for one that it does.
  const { type = 'BPE' } = file.model;
  if (!MODELS.includes(String(type))) {
    const known = MODELS.join(', ');
    throw new UnsupportedError(
      `[tokenizer.json] model ${describe(type)} is not supported, only ${known}`,
    );
  }
  const { added_tokens: added = [], ...rest } = file;
  if (!Array.isArray(added)) {
    throw new FormatError('[tokenizer.json] added_tokens: expected an array');
  }
  try {
    return new HuggingFaceTokenizer({ ...rest, added_tokens: added }, settings);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`[tokenizer.json] cannot be used: ${reason}`, { cause });
  }
}

/**
 * Ids decide how large tables become, so they are checked before the library sees them.
 * @param embedded rows of the model's embedding
 * @returns one more than the largest id
 */
function checkIds(file: JsonObject, embedded: number): number {
  const vocab = isJsonObject(file.model) ? file.model.vocab : null;
  const added: unknown[] = Array.isArray(file.added_tokens) ? file.added_tokens : [];
  const ids: Iterable<readonly [string, unknown]> = [
    // Unigram lists [piece, score] in order of ids; the others map pieces to ids.
    ...(Array.isArray(vocab) ? vocab.map((piece, id) => [String(piece), id] as const) : []),
    ...(isJsonObject(vocab) ? Object.entries(vocab) : []),
    ...added.map((one) =>
      isJsonObject(one) ? ([String(one.content), one.id] as const) : (['', null] as const),
    ),
  ];
  let largest = -1;
  for (const [token, id] of ids) {
    if (!Number.isInteger(id) || (id as number) < 0 || (id as number) >= embedded) {
      const expected = `expected 0 to ${embedded - 1}, for the model has vocab_size ${embedded}`;
      throw new FormatError(
        `[tokenizer.json] token ${describe(token)} has id ${describe(id)}, ${expected}`,
      );
    }
    largest = Math.max(largest, id as number);
  }
  return largest + 1;
}

/** A token of tokenizer_config.json: a string, or an object around one. */
function tokenText(token: unknown): string | null {
  if (typeof token === 'string') return token;
  if (isJsonObject(token) && typeof token.content === 'string') return token.content;
  return null;
}
