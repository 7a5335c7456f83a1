// One hostile tokenizer, and what becomes of it, as a line of JSON. In a process of its own, so that one that never
// ends can be ended.

import { createTokenizer } from '../../bindings/text/tokenizer.js';
import { TestRandom } from '../support/random.js';
import { tinyTokenizer } from '../support/tiny_tokenizer.js';

const SIZE = 300;
const CONFIG = { vocabSize: 400_000, bosTokenId: null, eosTokenIds: [] };

type File = Record<string, unknown> & {
  readonly model: { readonly vocab: Record<string, number> };
  readonly added_tokens: readonly object[];
};

interface Hostile {
  readonly file: object;
  readonly settings?: object;
  readonly text?: string;
  /** Decodes instead. */
  readonly ids?: readonly number[];
}

const tiny = tinyTokenizer(SIZE) as File;
const A = 'a'.repeat(100_000);
const regex = (type: string, Regex: string) => ({ type, pattern: { Regex }, content: 'b' });
const split = (Regex: string) => ({
  ...regex('Split', Regex),
  behavior: 'Isolated',
  invert: false,
});

export const HOSTILE: Readonly<Record<string, () => Hostile>> = {
  'an exponential pattern in the pre-tokenizer': () => ({
    file: { ...tiny, pre_tokenizer: split('(?:a|a)*c|(?:a+)+d') },
    text: A.slice(0, 50_000),
  }),
  'one in the normalizer, met by an added token while loading': () => ({
    file: {
      ...tiny,
      normalizer: regex('Replace', '(?:a|aa)+b'),
      added_tokens: [
        ...tiny.added_tokens,
        { id: SIZE, content: 'a'.repeat(1000), normalized: true },
      ],
    },
  }),
  'one in the decoder': () => ({
    file: {
      ...tiny,
      model: { ...tiny.model, vocab: { ...tiny.model.vocab, [A]: SIZE } },
      decoder: regex('Replace', '(?:a+)+b'),
    },
    ids: [SIZE],
  }),
  'merges that collide': () => ({
    file: { ...tiny, model: { ...tiny.model, merges: colliding(18) } },
  }),
  'merges that differ in spaces': () => ({
    file: {
      ...tiny,
      model: {
        ...tiny.model,
        merges: Array.from({ length: 160_000 }, (_, i) => [
          'a'.padEnd(1 + (i % 400)),
          'b'.padStart(1 + Math.floor(i / 400)),
        ]),
      },
    },
  }),
  'special tokens of the settings, half a million': () => ({
    file: tiny,
    settings: { additional_special_tokens: Array.from({ length: 500_000 }, (_, i) => `<${i}>`) },
  }),
  'pieces of no length': () => ({
    file: { ...tiny, pre_tokenizer: { type: 'FixedLength', length: 0 } },
    text: 'abc',
  }),
  'replacements that double the text thirty times': () => ({
    file: {
      ...tiny,
      normalizer: {
        type: 'Sequence',
        normalizers: new Array(30).fill({
          type: 'Replace',
          pattern: { String: 'a' },
          content: 'aa',
        }),
      },
    },
    text: A,
  }),
  'a pre-tokenizer that doubles bytes thirty times': () => ({
    file: {
      ...tiny,
      pre_tokenizer: {
        type: 'Sequence',
        pretokenizers: new Array(30).fill({ type: 'ByteLevel', use_regex: false }),
      },
    },
    text: '\u00e9'.repeat(1000),
  }),
  'replacements with what stands before and behind': () => ({
    file: {
      ...tiny,
      normalizer: { type: 'Replace', pattern: { Regex: 'a' }, content: "$`$'" },
    },
    text: A,
  }),
  'a decoder that doubles the text thirty times': () => ({
    file: {
      ...tiny,
      decoder: {
        type: 'Sequence',
        decoders: new Array(30).fill({ type: 'Replace', pattern: { String: 'a' }, content: 'aa' }),
      },
    },
    ids: new Array(10_000).fill(tiny.model.vocab['a']),
  }),
  'a text that is added thousands of times': () => ({
    file: {
      ...tiny,
      post_processor: {
        type: 'TemplateProcessing',
        single: new Array(100_000).fill({ Sequence: { id: 'A', type_id: 0 } }),
        pair: [],
        special_tokens: {},
      },
    },
    text: A,
  }),
  'added tokens that match for long': () => ({
    file: {
      ...tiny,
      added_tokens: [...tiny.added_tokens, { id: SIZE, content: `${'a'.repeat(400_000)}b` }],
    },
    text: 'a'.repeat(400_000),
  }),
  'words that take their cube': () => ({
    file: {
      ...tiny,
      pre_tokenizer: null,
      model: {
        type: 'WordPiece',
        unk_token: '<unk>',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 1e9,
        vocab: { '<unk>': 0, '<s>': 1, '</s>': 2, a: 3, '##a': 4 },
      },
    },
    text: A,
  }),
  'a word of a million characters': () => ({ file: tiny, text: 'the'.repeat(333_333) }),
  'a million characters that have no token': () => ({
    file: {
      ...tiny,
      added_tokens: [],
      normalizer: null,
      post_processor: null,
      model: {
        type: 'Unigram',
        unk_id: 0,
        vocab: [
          ['<unk>', 0],
          ['a', -1],
        ],
      },
    },
    text: '\u4f60'.repeat(1_000_000),
  }),
};

/** 2^blocks merges with one hash: in each block of three characters one of two leads to the same state. */
function colliding(blocks: number): [string, string][] {
  const random = new TestRandom(1);
  const step = (state: number, unit: number) => Math.imul(state ^ unit, 0x01000193);
  let code = [...'["'].reduce((state, one) => step(state, one.charCodeAt(0)), 0);
  const pairs: [string, string][] = [];
  const seen = new Map<number, string>();
  while (pairs.length < blocks) {
    const units = Array.from({ length: 3 }, () => 0x4e00 + random.below(0x5000));
    const text = String.fromCharCode(...units);
    const state = units.reduce(step, code);
    const other = seen.get(state);
    seen.set(state, text);
    if (other === undefined || other === text) continue;
    pairs.push([other, text]);
    code = state;
    seen.clear();
  }
  return Array.from({ length: 2 ** blocks }, (_, i) => [
    pairs.map((pair, bit) => pair[(i >> bit) & 1]).join(''),
    'b',
  ]);
}

function outcome(name: string): object {
  const { file, settings = {}, text, ids } = HOSTILE[name]!();
  try {
    const texts = { tokenizer: JSON.stringify(file), tokenizerConfig: JSON.stringify(settings) };
    const tokenizer = createTokenizer(texts, CONFIG);
    if (ids) return { characters: tokenizer.decode(ids).length };
    return { tokens: tokenizer.encode(text ?? '', { addSpecialTokens: false }).length };
  } catch (error) {
    return { code: (error as { code?: string }).code, message: (error as Error).message };
  }
}

const name = process.argv[2];
if (name !== undefined) process.stdout.write(JSON.stringify(outcome(name)));
