// Tokenizers of every kind, drawn: a model with its vocabulary, and parts around it as tokenizer.json names them.

import type { TestRandom } from '../support/random.js';
import { byteLevelFile } from '../support/tiny_text.js';
import { tinyTokenizer } from '../support/tiny_tokenizer.js';
import { oneIn, pick } from './subject.js';

type Json = Record<string, unknown>;

const SPECIALS = ['<unk>', '<s>', '</s>'];
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz'];

const WORDS = 'the hen and bird he in er on re ing 1 2 . , ! \u4f60 \u597d \ud83d\ude00'.split(' ');

const PATTERNS = [
  '\\s+',
  ' ',
  '\\p{L}+|\\p{N}+',
  "(?i:'s|'t|'re)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s+(?!\\S)|\\s+",
  '(a+)+$',
  '(a|a)*b',
  '(a*)*\\1!',
  '([a-z]+)*\\d',
  '(?=(\\w+))\\1:',
  '(?<=a+)b',
  '(?<name>x)\\k<name>',
  '',
  '.*?',
  '(?:)',
  '(',
  '[z-a]',
  '\\p{Nonsense}',
  'a{1,100000}',
  '(?:a{0,300}){300}',
  '\\u{110000}',
  '[^]',
  '$',
  '\\b',
];

function pattern(random: TestRandom): Json {
  const text = pick(random, PATTERNS);
  return random.below(3) === 0 ? { String: text } : { Regex: text };
}

function vocabulary(tokens: readonly string[]): Json {
  return Object.fromEntries([...new Set(tokens)].map((token, id) => [token, id]));
}

const MODELS: readonly ((random: TestRandom) => Json)[] = [
  () => tinyTokenizer(300),
  () => byteLevelFile() as Json,
  (random) => {
    const pieces = [...SPECIALS, '\u2581', ...LETTERS, ...WORDS, ...WORDS.map((w) => `\u2581${w}`)];
    const vocab = [...new Set(pieces)].map((piece) => [piece, -random.between(0, 12)]);
    const model = { type: 'Unigram', unk_id: 0, vocab, byte_fallback: false };
    return { ...tinyTokenizer(300), normalizer: null, pre_tokenizer: metaspace(random), model };
  },
  () => {
    const pieces = [...SPECIALS, ...LETTERS, ...LETTERS.map((l) => `##${l}`), ...WORDS];
    const model = {
      type: 'WordPiece',
      unk_token: '<unk>',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: vocabulary(pieces),
    };
    const around = { normalizer: { type: 'BertNormalizer', clean_text: true, lowercase: true } };
    const parts = { pre_tokenizer: { type: 'BertPreTokenizer' }, decoder: { type: 'WordPiece' } };
    return { ...tinyTokenizer(300), ...around, ...parts, post_processor: null, model };
  },
];

function metaspace(random: TestRandom): Json {
  const prepend = pick(random, ['always', 'never', 'first']);
  return { type: 'Metaspace', replacement: '\u2581', prepend_scheme: prepend, split: true };
}

function normalizer(random: TestRandom, depth = 0): Json | null {
  const list: readonly (() => Json | null)[] = [
    () => null,
    () => ({ type: pick(random, ['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents']) }),
    () => ({ type: 'Strip', strip_left: random.below(2) === 0, strip_right: true }),
    () => ({ type: 'Prepend', prepend: pick(random, ['\u2581', '', 'a'.repeat(50)]) }),
    () => ({ type: 'Replace', pattern: pattern(random), content: pick(random, ['', ' ', '$&$&']) }),
    () => ({ type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true }),
    () => ({ type: 'Precompiled', precompiled_charsmap: 'AAAA' }),
    () => ({ type: pick(random, ['Nmt', 'Nonsense']) }),
    () => ({ type: 'Sequence', normalizers: some(random, () => normalizer(random, depth + 1)) }),
  ];
  return pick(random, depth > 3 ? list.slice(0, -1) : list)();
}

function preTokenizer(random: TestRandom, depth = 0): Json | null {
  const behaviors = [
    'Isolated',
    'Removed',
    'MergedWithPrevious',
    'MergedWithNext',
    'Contiguous',
    'x',
  ];
  const list: readonly (() => Json | null)[] = [
    () => null,
    () => ({ type: 'ByteLevel', add_prefix_space: random.below(2) === 0, use_regex: true }),
    () => metaspace(random),
    () => ({
      type: pick(random, ['Whitespace', 'WhitespaceSplit', 'BertPreTokenizer', 'Nonsense']),
    }),
    () => ({ type: 'Punctuation', behavior: pick(random, behaviors) }),
    () => ({ type: 'Digits', individual_digits: random.below(2) === 0 }),
    () => ({ type: 'FixedLength', length: pick(random, [0, 1, 5, -1]) }),
    () => ({ type: 'Replace', pattern: pattern(random), content: '' }),
    () => split(random, behaviors),
    () => split(random, behaviors),
    () => ({
      type: 'Sequence',
      pretokenizers: some(random, () => preTokenizer(random, depth + 1)),
    }),
  ];
  return pick(random, depth > 3 ? list.slice(0, -1) : list)();
}

function split(random: TestRandom, behaviors: readonly string[]): Json {
  const behavior = pick(random, behaviors);
  return { type: 'Split', pattern: pattern(random), behavior, invert: random.below(4) === 0 };
}

function postProcessor(random: TestRandom, depth = 0): Json | null {
  const id = () => pick(random, ['<s>', '</s>', '<none>']);
  const list: readonly (() => Json | null)[] = [
    () => null,
    () => ({ type: 'ByteLevel', trim_offsets: true }),
    () => ({ type: 'BertProcessing', sep: ['</s>', 2], cls: ['<s>', 1] }),
    () => ({ type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 1], trim_offsets: true }),
    () => ({
      type: 'TemplateProcessing',
      single: [
        { SpecialToken: { id: id(), type_id: 0 } },
        ...(oneIn(random, 5) ? [] : [{ Sequence: { id: 'A', type_id: 0 } }]),
        ...(oneIn(random, 3) ? [{ SpecialToken: { id: id(), type_id: 0 } }] : []),
      ],
      pair: [],
      special_tokens: oneIn(random, 4) ? {} : { '<s>': { id: '<s>', ids: [1], tokens: ['<s>'] } },
    }),
    () => ({ type: 'Sequence', processors: some(random, () => postProcessor(random, depth + 1)) }),
  ];
  return pick(random, depth > 3 ? list.slice(0, -1) : list)();
}

function decoder(random: TestRandom, depth = 0): Json | null {
  const list: readonly (() => Json | null)[] = [
    () => null,
    () => ({ type: pick(random, ['ByteLevel', 'ByteFallback', 'Fuse', 'BPEDecoder', 'Nonsense']) }),
    () => ({
      type: 'Strip',
      content: pick(random, [' ', '', 'ab']),
      start: 1,
      stop: random.below(3),
    }),
    () => ({ type: 'WordPiece', prefix: '##', cleanup: random.below(2) === 0 }),
    () => ({ type: 'CTC', pad_token: '<pad>', word_delimiter_token: '|', cleanup: true }),
    () => ({ type: 'Replace', pattern: pattern(random), content: ' ' }),
    () => metaspace(random),
    () => ({ type: 'Sequence', decoders: some(random, () => decoder(random, depth + 1)) }),
  ];
  return pick(random, depth > 3 ? list.slice(0, -1) : list)();
}

function some<T>(random: TestRandom, make: () => T): T[] {
  return Array.from({ length: random.below(4) }, make);
}

/** Ways to draw a part anew, by its key in tokenizer.json. */
export const PARTS = {
  normalizer,
  pre_tokenizer: preTokenizer,
  post_processor: postProcessor,
  decoder,
} as const;

/** A valid tokenizer.json with at most 300 tokens. */
export function makeTokenizer(random: TestRandom): Json {
  return pick(random, MODELS)(random);
}
