// The library's tokenizer for a tokenizer.json that somebody else wrote: checked before the library sees it, and made
// part by part so that its errors have a name.

import { Tokenizer as Library } from '@huggingface/tokenizers';
import { FormatError, UnsupportedError } from '../errors.js';
import { describe, isJsonObject, type JsonObject, parseJsonObject } from '../model/json_fields.js';
import { MOST_CHARACTERS, twoIds, twoTokens } from './added_tokens.js';
import { readBpeTables } from './bpe_tables.js';
import { checkParts, inPart, PARTS, type PartName } from './tokenizer_parts.js';

const PART_NAMES = Object.keys(PARTS) as PartName[];
/** Parts of tokenizer.json that the library takes for granted. */
const REQUIRED = ['model', ...PART_NAMES];
/** Kinds of `model.type`. */
const MODELS = ['BPE', 'Unigram', 'WordPiece'];
/** What the library is given for a model where only another part is wanted. */
const NO_MODEL = { type: 'BPE', vocab: {}, merges: [] };
const NO_PARTS = Object.fromEntries(PART_NAMES.map((name) => [name, null]));

export interface LibraryParts extends Pick<Library, PartName> {
  readonly model: NonNullable<Library['model']>;
  /** `added_tokens`, of which the other parts do not know yet. */
  readonly addedTokens: readonly unknown[];
  /** One more than the largest id. */
  readonly vocabSize: number;
}

/**
 * @param text tokenizer.json
 * @param embedded rows of the model's embedding
 * @throws FormatError naming the part, UnsupportedError for a kind of model that is not known
 */
export function readTokenizer(text: string, embedded: number): LibraryParts {
  const tables = readBpeTables(text, embedded);
  const file = tables?.file ?? parseJsonObject(text, 'tokenizer.json');
  const vocabSize = Math.max(checkIds(file, embedded), tables?.vocabSize ?? 0);
  checkFile(file);
  const make = (name: PartName | 'model') => {
    const parts = { ...NO_PARTS, model: NO_MODEL, [name]: file[name], added_tokens: [] };
    return inPart(name, () => new Library(parts, {}));
  };
  const library = make('model');
  tables?.fill(library);
  return {
    model: library.model!,
    normalizer: make('normalizer').normalizer,
    pre_tokenizer: make('pre_tokenizer').pre_tokenizer,
    post_processor: make('post_processor').post_processor,
    decoder: make('decoder').decoder,
    addedTokens: (file.added_tokens ?? []) as unknown[],
    vocabSize,
  };
}

function checkFile(file: JsonObject): void {
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
  if (!Array.isArray(file.added_tokens ?? [])) {
    throw new FormatError('[tokenizer.json] added_tokens: expected an array');
  }
  checkParts(file);
}

/**
 * Ids decide how large tables become, so they are checked before the library sees them.
 * @param embedded rows of the model's embedding
 * @returns one more than the largest id
 */
function checkIds(file: JsonObject, embedded: number): number {
  const vocab = isJsonObject(file.model) ? file.model.vocab : null;
  const added: unknown[] = Array.isArray(file.added_tokens) ? file.added_tokens : [];
  // Unigram lists [piece, score] in order of ids; the others map pieces to ids.
  if (Array.isArray(vocab)) checkUnknown((file.model as JsonObject).unk_id, vocab.length);
  const ids: readonly (readonly [string, unknown])[] = Array.isArray(vocab)
    ? vocab.map((piece, id) => [checkPiece(piece), id])
    : Object.entries(isJsonObject(vocab) ? vocab : {});
  checkOneToOne(ids);
  const addedIds = added.map((one) =>
    isJsonObject(one) ? ([String(one.content), one.id] as const) : (['', null] as const),
  );
  let largest = -1;
  for (const [token, id] of [...ids, ...addedIds]) {
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

/** Added tokens are checked when they come to these. */
function checkOneToOne(ids: readonly (readonly [string, unknown])[]): void {
  const tokens = new Map<unknown, string>();
  const known = new Map<string, unknown>();
  for (const [token, id] of ids) {
    if (tokens.has(id)) throw twoTokens(id, tokens.get(id)!, token);
    if (known.has(token)) throw twoIds(token, known.get(token), id);
    tokens.set(id, token);
    known.set(token, id);
  }
}

function checkUnknown(id: unknown, pieces: number): void {
  if (id == null || (Number.isInteger(id) && (id as number) >= 0 && (id as number) < pieces))
    return;
  throw new FormatError(
    `[tokenizer.json] model.unk_id: expected 0 to ${pieces - 1}, came ${describe(id)}`,
  );
}

function checkPiece(piece: unknown): string {
  const [text, score] = Array.isArray(piece) ? piece : [];
  const isText = typeof text === 'string' && text.length <= MOST_CHARACTERS;
  if (isText && Number.isFinite(score)) return text;
  const expected = `expected pieces of at most ${MOST_CHARACTERS} characters and scores`;
  throw new FormatError(`[tokenizer.json] model.vocab: ${expected}, came ${describe(piece)}`);
}
