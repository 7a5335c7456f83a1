import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../bindings/text/tokenizer.js';
import { raises } from '../support/raises.js';
import { sharedModel } from '../support/shared_models.js';
import { TEXTS, tinyTokenizerFor } from '../support/tiny_text.js';
import { tinyTokenizer, tinyTokenizerConfig } from '../support/tiny_tokenizer.js';

const CONFIG = { vocabSize: 300, bosTokenId: 1, eosTokenIds: [2] };

test('text survives encoding and decoding', () => {
  for (const [name, tokenizer] of Object.entries(tinyTokenizerFor)) {
    for (const text of TEXTS) {
      const ids = tokenizer.encode(text);
      assert.is(tokenizer.decode(ids), text, name);
      assert.ok(ids.every((id) => id < tokenizer.vocabSize));
    }
  }
});

test('U+FEFF within bytes is a character of the text', () => {
  const { sentencePiece } = tinyTokenizerFor;
  assert.is(sentencePiece.decode(sentencePiece.encode('\ufeffa')), '\ufeffa');
});

test('BOS stands before a text once, and not where it is unwanted', () => {
  const { sentencePiece } = tinyTokenizerFor;
  assert.equal(sentencePiece.encode(''), [1]);
  assert.equal(sentencePiece.encode('', { addSpecialTokens: false }), []);
  const plain = sentencePiece.encode('the', { addSpecialTokens: false });
  assert.equal(sentencePiece.encode('the'), [1, ...plain]);
  assert.equal(sentencePiece.encode('<s>the'), [1, ...plain]);
  assert.equal(sentencePiece.encode('<s>the', { addSpecialTokens: false }), [1, ...plain]);
});

test('tokenizer_config.json decides for Llama, the post-processor for others', () => {
  const encode = (settings: object, file: object = {}) => {
    const tokenizer = { ...tinyTokenizer(300), ...file };
    const tokenizerConfig = { ...tinyTokenizerConfig(), ...settings };
    const texts = {
      tokenizer: JSON.stringify(tokenizer),
      tokenizerConfig: JSON.stringify(tokenizerConfig),
    };
    return createTokenizer(texts, CONFIG).encode('');
  };
  const silent = { post_processor: null };
  const fast = { tokenizer_class: 'PreTrainedTokenizerFast' };
  assert.equal(encode({}), [1]);
  assert.equal(encode({ add_bos_token: undefined }, silent), [1]);
  assert.equal(encode({ add_bos_token: false }), []);
  assert.equal(encode({ add_eos_token: true }), [1, 2]);
  assert.equal(encode({ ...fast, add_bos_token: false }), [1]);
  assert.equal(encode({ ...fast, add_bos_token: true }, silent), []);
});

test('special tokens: known by name, left out of text unless asked for', () => {
  const { sentencePiece } = tinyTokenizerFor;
  const { bosToken, eosToken, bosTokenId, eosTokenIds, vocabSize } = sentencePiece;
  assert.equal([bosToken, eosToken, bosTokenId, eosTokenIds], ['<s>', '</s>', 1, [2]]);
  assert.is(vocabSize, 300);
  const ids = [1, ...sentencePiece.encode('on', { addSpecialTokens: false }), 2];
  assert.is(sentencePiece.decode(ids), 'on');
  assert.is(sentencePiece.decode(ids, { skipSpecialTokens: false }), '<s> on</s>');
  assert.is(sentencePiece.decode([]), '');
  assert.is(sentencePiece.decode([1, 2]), '');
  assert.equal(
    [0, 1, 2, 3].map((id) => sentencePiece.isSpecial(id)),
    [true, true, true, false],
  );
});

test('control tokens are text in the ranges that say so', () => {
  for (const [name, tokenizer] of Object.entries(tinyTokenizerFor)) {
    const ids = (text: string, ...asText: [number, number][]) =>
      tokenizer.encode(text, { addSpecialTokens: false, asText });
    const text = 'the <s>the</s> the';
    const specials = (from: readonly number[]) => from.filter((id) => id < 3);
    assert.equal(specials(ids(text, [0, 0])), [1, 2], name);
    assert.equal(specials(ids(text, [0, 3], [14, 18])), [1, 2], 'beside them');
    assert.equal(specials(ids(text, [5, 6])), [2], 'one character of a token');
    assert.equal(specials(ids(text, [13, 14])), [1]);
    assert.equal(specials(ids(text, [0, 18])), []);
    assert.is(tokenizer.decode(ids(text, [0, 18])), text);
    assert.equal(ids(text, [5, 6]), [...ids('the <s>the', [0, 10]), 2, ...ids(' the')]);
    assert.equal(ids('\ue000<s>', [0, 4]), ids('\ue000<s>', [1, 2]));
    assert.is(tokenizer.decode(ids('\ue000<s>\ue001', [0, 5])), '\ue000<s>\ue001');
    assert.equal(tokenizer.encode('</s>', { asText: [[0, 4]] }).at(-1)! > 2, true);
  }
});

test('control tokens are those that are special, end a text, or are written like one', () => {
  const added = [
    ...(tinyTokenizer(300) as { added_tokens: object[] }).added_tokens,
    { id: 300, content: '<|turn|>', special: false },
    { id: 301, content: '<｜User｜>', special: false },
    { id: 302, content: '<think>', special: false },
    { id: 303, content: '<stop>', special: false },
  ];
  const tokenizer = JSON.stringify({ ...tinyTokenizer(300), added_tokens: added });
  const config = { ...CONFIG, vocabSize: 320, eosTokenIds: [2, 303] };
  const { controlTokens } = createTokenizer({ tokenizer, tokenizerConfig: null }, config);
  assert.equal([...controlTokens], ['<unk>', '<s>', '</s>', '<|turn|>', '<｜User｜>', '<stop>']);
});

test('merges do not make a control token of text', () => {
  const base = tinyTokenizer(300) as { model: { vocab: Record<string, number>; merges: string[] } };
  const vocab: Record<string, number> = { ...base.model.vocab };
  for (const [i, piece] of ['<', '/', 's', '>', '</', 's>'].entries()) vocab[piece] ??= 300 + i;
  const merges = ['< /', 's >', '</ s>'];
  const tokenizer = JSON.stringify({ ...base, model: { ...base.model, vocab, merges } });
  const config = { ...CONFIG, vocabSize: 320 };
  const merged = createTokenizer({ tokenizer, tokenizerConfig: null }, config);
  const ids = merged.encode('a</s>b', { addSpecialTokens: false, asText: [[0, 6]] });
  assert.not.ok(ids.includes(2), String(ids));
  assert.is(merged.decode(ids).replaceAll(' ', ''), 'a</s>b');
});

test('ids of padding rows have no text, other numbers are refused', async () => {
  const { sentencePiece } = tinyTokenizerFor;
  assert.is(sentencePiece.decode([...sentencePiece.encode('on'), 1000]), 'on');
  for (const id of [-1, 1.5, Number.NaN]) {
    await raises(() => sentencePiece.decode([id]), 'OPTION', ['decode', id]);
  }
});

test('without token ids in the config the tokenizer names them', () => {
  const texts = {
    tokenizer: JSON.stringify(tinyTokenizer(300)),
    tokenizerConfig: JSON.stringify({ bos_token: { content: '<s>' }, eos_token: '</s>' }),
  };
  const config = { vocabSize: 320, bosTokenId: null, eosTokenIds: [] };
  const { bosTokenId, eosTokenIds } = createTokenizer(texts, config);
  assert.equal([bosTokenId, eosTokenIds], [1, [2]]);
  const bare = createTokenizer({ ...texts, tokenizerConfig: null }, config);
  assert.equal([bare.bosTokenId, bare.eosTokenIds, bare.bosToken], [null, [], null]);
});

const file = tinyTokenizer(300) as { model: object; added_tokens: object[] };
const extra = (token: object) => ({ ...file, added_tokens: [...file.added_tokens, token] });

const sequence = (of: string, ...kinds: unknown[]) => ({ type: 'Sequence', [of]: kinds });
const withVocab = (vocab: object, model: object = { merges: [['a', 'b']] }) => ({
  ...file,
  added_tokens: file.added_tokens.slice(0, 1),
  post_processor: null,
  model: { type: 'BPE', merges: [], ...model, vocab },
});
const unigram = (vocab: unknown, unk_id = 0) => ({
  ...file,
  added_tokens: [],
  post_processor: null,
  model: { type: 'Unigram', unk_id, vocab },
});
const template = (id: string) => ({
  ...file,
  post_processor: {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  },
  model: { ...file.model, unk_token: null },
});

const DAMAGED: readonly [name: string, tokenizer: unknown, parts: (string | number)[]][] = [
  ['no object', [], ['object', '[]']],
  ['no model', { ...file, model: undefined }, ['model']],
  ['a model that is a word', { ...file, model: 'BPE' }, ['model']],
  ['no decoder', { ...file, decoder: undefined }, ['decoder']],
  [
    'a model without merges',
    { ...file, model: { type: 'BPE', vocab: {} } },
    ['model: cannot be used'],
  ],
  ['an unknown decoder', { ...file, decoder: { type: 'Best' } }, ['decoder: cannot', 'Best']],
  [
    'an unknown normalizer',
    { ...file, normalizer: { type: 'Best' } },
    ['normalizer: cannot', 'Best'],
  ],
  [
    'an unknown pre-tokenizer within others',
    { ...file, pre_tokenizer: sequence('pretokenizers', { type: 'Best' }) },
    ['pre_tokenizer: cannot', 'Best'],
  ],
  [
    'an unknown post-processor',
    { ...file, post_processor: { type: 'Best' } },
    ['post_processor: cannot', 'Best'],
  ],
  [
    'a post-processor that is a word',
    { ...file, post_processor: 'Best' },
    ['post_processor: expected', '"Best"'],
  ],
  ['a decoder without type', { ...file, decoder: {} }, ['decoder: expected', '{}']],
  [
    'a decoder that is nothing',
    { ...file, decoder: sequence('decoders', null) },
    ['decoder: expected', 'null'],
  ],
  [
    'normalizers that are none',
    { ...file, normalizer: { type: 'Sequence', normalizers: 3 } },
    ['normalizer: Sequence.normalizers', 3],
  ],
  [
    'too many normalizers',
    { ...file, normalizer: sequence('normalizers', ...new Array(300).fill({ type: 'NFC' })) },
    ['normalizer: expected', 256, 301],
  ],
  [
    'a template without parts',
    { ...file, post_processor: { type: 'TemplateProcessing' } },
    ['post_processor: TemplateProcessing.single'],
  ],
  [
    'a template with nothing',
    { ...file, post_processor: { type: 'TemplateProcessing', single: [null] } },
    ['post_processor: cannot'],
  ],
  [
    'a template without the text',
    { ...file, post_processor: { type: 'TemplateProcessing', single: [] } },
    ['post_processor: expected the text once'],
  ],
  ['a template with another token', template('<other>'), ['post_processor', '<other>']],
  [
    'a Bert without its tokens',
    { ...file, post_processor: { type: 'BertProcessing' } },
    ['post_processor: cannot'],
  ],
  [
    'a split without pattern',
    { ...file, pre_tokenizer: { type: 'Split' } },
    ['pre_tokenizer: Split.pattern', 'nothing'],
  ],
  [
    'a split by another pattern',
    { ...file, pre_tokenizer: { type: 'Split', pattern: { Glob: '*' } } },
    ['pre_tokenizer: Split.pattern', 'Glob'],
  ],
  [
    'a pattern that is none',
    { ...file, normalizer: { type: 'Replace', pattern: { Regex: '(' } } },
    ['normalizer: cannot'],
  ],
  [
    'a pattern of any length',
    { ...file, decoder: { type: 'Replace', pattern: { Regex: 'a'.repeat(20_000) } } },
    ['decoder: Replace.pattern', 16384],
  ],
  [
    'a replacement of any length',
    { ...file, decoder: { type: 'Replace', pattern: { String: 'a' }, content: 'a'.repeat(300) } },
    ['decoder: Replace.content', 256],
  ],
  [
    'a split that behaves strangely',
    { ...file, pre_tokenizer: { type: 'Split', pattern: { Regex: 'a' }, behavior: 3 } },
    ['pre_tokenizer: cannot'],
  ],
  [
    'a suffix of any length',
    { ...file, model: { ...file.model, end_of_word_suffix: 'a'.repeat(300) } },
    ['model: end_of_word_suffix', 256],
  ],
  [
    'a mark of any length',
    { ...file, pre_tokenizer: { type: 'Metaspace', str_rep: 'a'.repeat(300) } },
    ['pre_tokenizer: Metaspace.str_rep', 256],
  ],
  ['two tokens with one id', withVocab({ a: 7, b: 7 }), [7, '"a"', '"b"', 'one token']],
  [
    'an added token on the id of another',
    extra({ content: '<x>', id: 290 }),
    [290, '<x>', 'one token'],
  ],
  [
    'an added token with another id than in the vocabulary',
    withVocab({ '<unk>': 9 }, {}),
    ['"<unk>"', 9, 0, 'one id'],
  ],
  [
    'an added token with two ids',
    {
      ...withVocab({ a: 3 }),
      added_tokens: [
        { content: '<x>', id: 5 },
        { content: '<x>', id: 6 },
      ],
    },
    ['"<x>"', 5, 6, 'one id'],
  ],
  ['an added token that is nothing', extra({ content: '', id: 3 }), ['added_tokens', 1024]],
  [
    'a piece that comes twice',
    unigram([
      ['<unk>', 0],
      ['a', -1],
      ['a', -2],
    ]),
    ['"a"', 1, 2, 'one id'],
  ],
  ['a piece without score', unigram([['<unk>', 0], ['a']]), ['model.vocab', '["a"]']],
  ['an unknown piece beyond all', unigram([['<unk>', 0]], 1), ['model.unk_id', 1]],
  ['added tokens of the wrong type', { ...file, added_tokens: 4 }, ['added_tokens']],
  ['more tokens than rows', extra({ content: '<x>', id: 300 }), ['<x>', 300, 299]],
  ['a huge id', extra({ content: '<x>', id: 1e12 }), ['<x>', 1e12, 299]],
  ['a negative id', extra({ content: '<x>', id: -1 }), ['<x>', -1, 299]],
  ['a token without id', extra({ content: '<x>' }), ['<x>', 'nothing']],
  [
    'a vocabulary of strings',
    { ...file, model: { ...file.model, vocab: { a: 'x' } } },
    ['"a"', '"x"'],
  ],
];

for (const [name, tokenizer, parts] of DAMAGED) {
  test(`refused: ${name}`, () => {
    const texts = { tokenizer: JSON.stringify(tokenizer), tokenizerConfig: null };
    return raises(() => createTokenizer(texts, CONFIG), 'FORMAT', ['[tokenizer.json]', ...parts]);
  });
}

test('refused when it is used: a split by a text that behaves strangely', async () => {
  const split = { type: 'Split', pattern: { String: 'a' }, behavior: 3 };
  const tokenizer = JSON.stringify({ ...file, pre_tokenizer: split });
  const created = createTokenizer({ tokenizer, tokenizerConfig: null }, CONFIG);
  await raises(() => created.encode('a'), 'FORMAT', ['[tokenizer.json] pre_tokenizer: cannot']);
});

test('a token that is listed twice, and is the same, is fine', () => {
  const tokenizer = JSON.stringify(extra({ content: '<unk>', id: 0, special: true }));
  createTokenizer({ tokenizer, tokenizerConfig: null }, CONFIG);
});

test('a kind of model that is not known is refused by name', () => {
  const tokenizer = JSON.stringify({ ...file, model: { ...file.model, type: 'Best' } });
  const create = () => createTokenizer({ tokenizer, tokenizerConfig: null }, CONFIG);
  return raises(create, 'UNSUPPORTED', ['[tokenizer.json]', 'Best', 'BPE']);
});

test('files that are missing or no JSON', async () => {
  const create = (tokenizer: string | null, tokenizerConfig: string | null) => () =>
    createTokenizer({ tokenizer, tokenizerConfig }, CONFIG);
  await raises(create(null, null), 'FORMAT', ['[tokenizer.json]', 'missing']);
  await raises(create('{', null), 'FORMAT', ['[tokenizer.json]', 'JSON']);
  await raises(create(JSON.stringify(file), '{'), 'FORMAT', ['[tokenizer_config.json]', 'JSON']);
});

for (const name of ['stories260K', 'stories15M']) {
  const dir = sharedModel(name);
  if (!dir) continue;
  test(`${name}: the golden story and back`, async () => {
    const read = (part: string) => readFile(join(dir, part), 'utf8');
    const texts = {
      tokenizer: await read('tokenizer.json'),
      tokenizerConfig: await read('tokenizer_config.json'),
    };
    const vocabSize = JSON.parse(await read('config.json')).vocab_size;
    const tokenizer = createTokenizer(texts, { ...CONFIG, vocabSize });
    const { ids } = JSON.parse(await read('golden.json'));
    assert.equal(tokenizer.encode(''), [1]);
    assert.equal(tokenizer.encode(tokenizer.decode(ids)), ids);
  });
}

test.run();
