// The parts of tokenizer.json around its model, checked before the library sees them: kinds that the library would take
// for nothing, and sizes that would make a small text a huge one or a long time.

import { FormatError, HalfbyteError } from '../errors.js';
import { describe, isJsonObject, type JsonObject } from '../model/json_fields.js';

/** Parts, and what those that a `Sequence` holds are called. */
export const PARTS = {
  normalizer: 'normalizers',
  pre_tokenizer: 'pretokenizers',
  post_processor: 'processors',
  decoder: 'decoders',
} as const;
export type PartName = keyof typeof PARTS;

/** Kinds in one part, all sequences written out. */
const MOST_KINDS = 256;
/** Characters of a pattern, and of a text that is put into others. */
const MOST_PATTERN = 16_384;
const MOST_CONTENT = 256;
const SHORT_TEXT = `at most ${MOST_CONTENT} characters`;
/** Fields of any kind whose text is put into others. */
const TEXTS = ['content', 'prepend', 'replacement', 'str_rep', 'prefix', 'suffix'];
/** Characters of a word that WordPiece cuts: it takes time in their cube. */
const MOST_WORD = 256;

/** @throws FormatError, naming the part, for whatever goes wrong in it */
export function inPart<T>(part: string, run: () => T): T {
  try {
    return run();
  } catch (cause) {
    if (cause instanceof HalfbyteError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`[tokenizer.json] ${part}: cannot be used: ${reason}`, { cause });
  }
}

/** @throws FormatError naming the part */
export function checkParts(file: JsonObject): void {
  for (const name of Object.keys(PARTS) as PartName[]) {
    const part = file[name];
    if (part === null) continue;
    const kinds = { left: MOST_KINDS };
    checkPart(part, name, kinds);
    if (kinds.left < 0) {
      const came = MOST_KINDS - kinds.left;
      throw new FormatError(`${at(name)} expected at most ${MOST_KINDS} kinds, came ${came}`);
    }
  }
  const { max_input_chars_per_word: most = 0, ...model } = file.model as JsonObject;
  for (const key of ['end_of_word_suffix', 'continuing_subword_prefix']) {
    if (isText(model[key] ?? '', 0, MOST_CONTENT)) continue;
    const came = describe(model[key]);
    throw new FormatError(`${at('model')} ${key}: expected ${SHORT_TEXT}, came ${came}`);
  }
  if (typeof most === 'number' && most <= MOST_WORD) return;
  throw new FormatError(
    `${at('model')} max_input_chars_per_word: expected at most ${MOST_WORD}, came ${describe(most)}`,
  );
}

function checkPart(part: unknown, name: PartName, kinds: { left: number }): void {
  kinds.left--;
  if (!isJsonObject(part) || typeof part.type !== 'string') {
    throw new FormatError(`${at(name)} expected an object with a type, came ${describe(part)}`);
  }
  const expect = (key: string, isRight: boolean, what: string) => {
    if (isRight) return;
    const came = describe(part[key]);
    throw new FormatError(`${at(name)} ${part.type}.${key}: expected ${what}, came ${came}`);
  };
  const { type, length, pattern, single } = part;
  for (const key of TEXTS) expect(key, isText(part[key] ?? '', 0, MOST_CONTENT), SHORT_TEXT);
  if (type === 'Sequence') {
    const held = part[PARTS[name]] ?? [];
    expect(PARTS[name], Array.isArray(held), 'an array');
    for (const one of held as unknown[]) checkPart(one, name, kinds);
  } else if (type === 'Replace' || type === 'Split') {
    const [[how, text] = [], more] = isJsonObject(pattern) ? Object.entries(pattern) : [];
    const isOne = (how === 'String' || how === 'Regex') && more === undefined;
    const isPattern = isOne && isText(text, 1, MOST_PATTERN);
    expect('pattern', isPattern, `a String or Regex of 1 to ${MOST_PATTERN} characters`);
  } else if (type === 'TemplateProcessing') {
    const isShort = Array.isArray(single) && single.length <= MOST_KINDS;
    expect('single', isShort, `an array of at most ${MOST_KINDS} parts`);
  } else if (type === 'FixedLength') {
    expect('length', Number.isInteger(length) && (length as number) > 0, 'an integer above 0');
  }
}

function isText(value: unknown, least: number, most: number): boolean {
  return typeof value === 'string' && value.length >= least && value.length <= most;
}

/** `[tokenizer.json] part:` */
function at(name: string): string {
  return `[tokenizer.json] ${name}:`;
}
