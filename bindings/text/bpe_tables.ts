// The two long tables of a byte-pair tokenizer.json, vocabulary and merges, read from its text without making
// the objects that JSON.parse makes of them. They are nine tenths of the file, and a short prompt asks for a few
// dozen of its hundred thousand entries.

import type { BPE, Tokenizer } from '@huggingface/tokenizers';
import { isJsonObject, type JsonObject, parseJsonObject } from '../model/json_fields.js';
import { MergeRanks } from './merge_ranks.js';

const VOCAB = /"vocab"\s*:\s*\{/;
const MERGES = /"merges"\s*:\s*\[/;
const VOCAB_ENTRY = /\s*"(?:[^"\\]|\\.)*"\s*:\s*(?:0|[1-9]\d*)\s*[,}]/y;
/** A merge is `["a", "b"]`, in older files `"a b"`. */
const PAIR = /\s*\[\s*"(?:[^"\\]|\\.)*"\s*,\s*"(?:[^"\\]|\\.)*"\s*\]\s*[,\]]/y;
const JOINED = /\s*"(?:[^"\\ ]|\\[^ ])* (?:[^"\\ ]|\\[^ ])*"\s*[,\]]/y;
export interface BpeTables {
  /** The parsed file with both tables empty, but for the unknown token. */
  readonly file: JsonObject;
  /** One more than the largest id of the vocabulary. */
  readonly vocabSize: number;
  /** Fills the tables of a tokenizer that was made of `file`, without added tokens. */
  fill(tokenizer: Tokenizer): void;
}

/**
 * Null if the text is anything but a well-formed byte-pair tokenizer with ids below `embedded`: then JSON.parse,
 * and whoever reads its result, say what is wrong, or take it.
 */
export function readBpeTables(text: string, embedded: number): BpeTables | null {
  try {
    return readTables(text, embedded);
  } catch {
    return null;
  }
}

function readTables(text: string, embedded: number): BpeTables | null {
  const vocab = readVocab(text, embedded);
  const merges = vocab && readMerges(text);
  if (!vocab || !merges) return null;
  const [first, second] = vocab.begin < merges.begin ? [vocab, merges] : [merges, vocab];
  const rest =
    text.slice(0, first.begin) + text.slice(first.end, second.begin) + text.slice(second.end);
  const file = parseJsonObject(rest, 'tokenizer.json');
  const { model } = file;
  if (!isJsonObject(model) || model.type !== 'BPE') return null;
  // Had the tables been found elsewhere than in the model, its own were still full.
  if (JSON.stringify([model.vocab, model.merges]) !== '[{},[]]') return null;
  const unknown = String(model.unk_token);
  const id = vocab.ids.get(unknown);
  return {
    file: { ...file, model: { ...model, vocab: id === undefined ? {} : { [unknown]: id } } },
    vocabSize: vocab.tokens.length,
    fill: (tokenizer) => fill(tokenizer, vocab, merges.ranks),
  };
}

function fill(tokenizer: Tokenizer, { ids, tokens }: Vocab, ranks: MergeRanks): void {
  const bpe = tokenizer.model as BPE;
  bpe.tokens_to_ids = ids;
  bpe.vocab = tokens;
  // The library only ever calls its `get`.
  bpe.bpe_ranks = ranks as unknown as Map<string, number>;
}

/** Characters [begin, end) of the text: what lies between the brackets of a table. */
interface Region {
  readonly begin: number;
  readonly end: number;
}

interface Vocab extends Region {
  readonly ids: Map<string, number>;
  readonly tokens: string[];
}

function readVocab(text: string, embedded: number): Vocab | null {
  const begin = behind(VOCAB, text);
  if (begin < 0) return null;
  const ids = new Map<string, number>();
  const tokens: string[] = [];
  // Tested, not matched: arrays of what matched would cost more than all the rest.
  VOCAB_ENTRY.lastIndex = begin;
  for (let at = begin; VOCAB_ENTRY.test(text); at = VOCAB_ENTRY.lastIndex) {
    const end = VOCAB_ENTRY.lastIndex - 1;
    const quote = text.lastIndexOf('"', end);
    const written = text.slice(text.indexOf('"', at), quote + 1);
    const token: string = written.includes('\\') ? JSON.parse(written) : written.slice(1, -1);
    const id = Number.parseInt(text.slice(text.indexOf(':', quote) + 1, end), 10);
    // A token or an id that comes twice is left to JSON.parse and those who read its result.
    if (id >= embedded || ids.has(token) || (id < tokens.length && id in tokens)) return null;
    ids.set(token, id);
    tokens[id] = token;
    if (text[end] === '}') return { begin, end, ids, tokens };
  }
  return null;
}

function readMerges(text: string): (Region & { readonly ranks: MergeRanks }) | null {
  const begin = behind(MERGES, text);
  if (begin < 0) return null;
  const joined = /\s*"/y;
  joined.lastIndex = begin;
  const isJoined = joined.test(text);
  const entry = isJoined ? JOINED : PAIR;
  const starts = [begin];
  entry.lastIndex = begin;
  while (entry.test(text)) {
    starts.push(entry.lastIndex);
    if (text[entry.lastIndex - 1] !== ']') continue;
    const end = entry.lastIndex - 1;
    return { begin, end, ranks: new MergeRanks(text, Int32Array.from(starts), isJoined) };
  }
  return null;
}

/** Where the table begins that `opening` matches, or -1. */
function behind(opening: RegExp, text: string): number {
  const found = opening.exec(text);
  return found ? found.index + found[0].length : -1;
}
