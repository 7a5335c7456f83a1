// Text is encoded in steps; the ids are those of the library, which does it at once.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Tokenizer as Library } from '@huggingface/tokenizers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokenizer, type Tokenizer } from '../../bindings/text/tokenizer.js';
import { TestRandom } from '../support/random.js';
import { sharedModel } from '../support/shared_models.js';
import { TEXTS } from '../support/tiny_text.js';
import { tinyTokenizer } from '../support/tiny_tokenizer.js';

const SIZE = 320;
const CONFIG = { vocabSize: 100_000, bosTokenId: null, eosTokenIds: [] };
const tiny = tinyTokenizer(SIZE) as { model: { vocab: Record<string, number> } };

const PIECES = Object.keys(tiny.model.vocab).slice(0, SIZE);
const added = (id: number, content: string, flags: object) => ({ id, content, ...flags });
const ADDED = [
  added(0, '<unk>', { special: true }),
  added(SIZE, 'THÉ END', { normalized: true }),
  added(SIZE + 1, '<x>', { special: true, lstrip: true, rstrip: true }),
  added(SIZE + 2, '<x><y>', { special: true }),
];
const MARK = { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'first' };

const FILES: Readonly<Record<string, object>> = {
  'BPE in bytes': tiny,
  'BPE without bytes': { ...tiny, model: { ...tiny.model, byte_fallback: false } },
  'BPE, words whole and marked at their end': {
    ...tiny,
    pre_tokenizer: { type: 'WhitespaceSplit' },
    model: { ...tiny.model, ignore_merges: true, end_of_word_suffix: 'e' },
  },
  'every kind of stage': {
    ...tiny,
    added_tokens: ADDED,
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'NFD' },
        { type: 'StripAccents' },
        { type: 'Lowercase' },
        { type: 'Replace', pattern: { Regex: '\\s{2,}' }, content: ' ' },
        { type: 'Replace', pattern: { String: 'x' }, content: 'yy' },
      ],
    },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: '\\n' }, behavior: 'Removed', invert: false },
        { type: 'Split', pattern: { Regex: '[^ ]+| ' }, behavior: 'Removed', invert: true },
        { type: 'Split', pattern: { String: 'e' }, behavior: 'Isolated', invert: false },
        { type: 'Punctuation' },
        { type: 'ByteLevel', add_prefix_space: true, use_regex: true },
        { type: 'Replace', pattern: { String: '\u0120' }, content: '\u2581' },
      ],
    },
  },
  Unigram: {
    ...tiny,
    added_tokens: ADDED,
    normalizer: { type: 'Precompiled', precompiled_charsmap: null },
    pre_tokenizer: MARK,
    decoder: MARK,
    model: {
      type: 'Unigram',
      unk_id: 0,
      // Of quarters, so that sums are exact whatever their order.
      vocab: PIECES.map((piece, i) => [piece, -((i * 7) % 40) / 4 - piece.length]),
    },
  },
  WordPiece: {
    ...tiny,
    pre_tokenizer: { type: 'BertPreTokenizer' },
    normalizer: { type: 'BertNormalizer', clean_text: true, lowercase: true },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '<unk>',
      continuing_subword_prefix: 't',
      vocab: tiny.model.vocab,
    },
  },
};

const WORDS = [
  ...[
    'the ',
    'THE END',
    'Thé end',
    ' and',
    '<x>',
    '<x><y>',
    ' <x>  ',
    '\n',
    '  ',
    'x',
    'xx',
    'é',
    '!',
  ],
  ...[
    '你好',
    '😀',
    '\ud83d',
    '\u2581',
    '<unk>',
    '<s>',
    '<0x0A>',
    'ing',
    'zzz',
    '123',
    '\u0000',
    '\u00a0',
  ],
];

function texts(): string[] {
  const random = new TestRandom(23);
  const made = Array.from({ length: 150 }, (_, i) => {
    const words = Array.from(
      { length: random.below(i < 140 ? 20 : 900) },
      () => WORDS[random.below(WORDS.length)]!,
    );
    return words.join('');
  });
  return [...TEXTS, ...made, 'a'.repeat(700), `${'the'.repeat(300)} ${' '.repeat(300)}`];
}

async function checkSame(tokenizer: Tokenizer, library: Library, name: string): Promise<void> {
  const plain = { addSpecialTokens: false };
  for (const text of texts()) {
    const where = `${name}: ${JSON.stringify(text.slice(0, 80))}`;
    const expected = library.encode(text, { add_special_tokens: false }).ids;
    const ids = tokenizer.encode(text, plain);
    assert.equal(ids, expected, where);
    assert.equal(await tokenizer.encodeAsync(text, plain), expected, where);
    if (ids.length === 0) continue;
    const options = { skip_special_tokens: false, clean_up_tokenization_spaces: false };
    const decoded = tokenizer.decode(ids, { skipSpecialTokens: false });
    assert.is(decoded, library.decode(ids, options), where);
  }
}

for (const [name, file] of Object.entries(FILES)) {
  test(`the ids of the library: ${name}`, async () => {
    const text = JSON.stringify(file);
    const tokenizer = createTokenizer({ tokenizer: text, tokenizerConfig: null }, CONFIG);
    await checkSame(tokenizer, new Library(JSON.parse(text), {}), name);
  });
}

for (const name of ['stories15M', 'minimind2-small']) {
  const folder = sharedModel(name);
  if (folder === null) continue;
  test(`the ids of the library: ${name}`, async () => {
    const text = await readFile(join(folder, 'tokenizer.json'), 'utf8');
    const tokenizer = createTokenizer({ tokenizer: text, tokenizerConfig: null }, CONFIG);
    await checkSame(tokenizer, new Library(JSON.parse(text), {}), name);
  });
}

test('the settings have their say before tokenizer.json', () => {
  const settings = { remove_space: true, do_lowercase_and_remove_accent: true };
  const text = JSON.stringify(tiny);
  const texts = { tokenizer: text, tokenizerConfig: JSON.stringify(settings) };
  const library = new Library(JSON.parse(text), settings);
  const given = '  Thé \n END ';
  const ids = createTokenizer(texts, CONFIG).encode(given, { addSpecialTokens: false });
  assert.equal(ids, library.encode(given, { add_special_tokens: false }).ids);
});

/** Each keeps the tokenizer in another part of its work. */
const LONG: Readonly<Record<string, string>> = {
  'many words': 'the end and '.repeat(300_000),
  'one word': 'the'.repeat(700_000),
  'many added tokens': '</s>'.repeat(700_000),
};

for (const [name, text] of Object.entries(LONG)) {
  for (const file of ['BPE in bytes', 'every kind of stage', 'Unigram'] as const) {
    test(`a long text is left when the signal says so: ${file}, ${name}`, async () => {
      const texts = { tokenizer: JSON.stringify(FILES[file]), tokenizerConfig: null };
      const tokenizer = createTokenizer(texts, CONFIG);
      const controller = new AbortController();
      let turns = 0;
      const turn = () => {
        if (++turns === 3) controller.abort(new Error('enough'));
        else setImmediate(turn);
      };
      setImmediate(turn);
      let reason: unknown;
      await tokenizer.encodeAsync(text, { signal: controller.signal }).catch((error) => {
        reason = error;
      });
      assert.is((reason as Error | undefined)?.message, 'enough');
      const aborted = AbortSignal.abort(new Error('before'));
      await tokenizer.encodeAsync('a', { signal: aborted }).then(
        () => assert.unreachable(),
        (error) => assert.is(error.message, 'before'),
      );
    });
  }
}

test.run();
