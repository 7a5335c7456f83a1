// Tokenizers of the two kinds there are, and texts that are hard on them.

import { createTokenizer, type Tokenizer } from '../../bindings/text/tokenizer.js';
import { tinyTokenizer, tinyTokenizerConfig } from './tiny_tokenizer.js';

const SPECIALS = ['<unk>', '<s>', '</s>'];
const CONFIG = { vocabSize: 300, bosTokenId: 1, eosTokenIds: [2] };

export function byteLevelFile(): object {
  // Printable Latin-1 bytes stand for themselves, the others for U+0100 and up.
  const printable = (byte: number) =>
    (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let next = 256;
  const bytes = Array.from({ length: 256 }, (_, byte) => {
    return String.fromCharCode(printable(byte) ? byte : next++);
  });
  const merges = [
    ['t', 'h'],
    ['\u0120', 'th'],
    ['\u0120th', 'e'],
  ] as const;
  const vocab = [...SPECIALS, ...bytes, ...merges.map((pair) => pair.join(''))];
  const level = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  return {
    ...tinyTokenizer(300),
    normalizer: null,
    pre_tokenizer: level,
    post_processor: null,
    decoder: level,
    model: {
      type: 'BPE',
      vocab: Object.fromEntries(vocab.map((token, id) => [token, id])),
      merges: merges.map((pair) => [...pair]),
    },
  };
}

function create(file: object, settings: object): Tokenizer {
  const texts = { tokenizer: JSON.stringify(file), tokenizerConfig: JSON.stringify(settings) };
  return createTokenizer(texts, CONFIG);
}

export const tinyTokenizerFor = {
  sentencePiece: create(tinyTokenizer(300), tinyTokenizerConfig()),
  byteLevel: create(byteLevelFile(), { bos_token: '<s>', eos_token: '</s>' }),
};

export const TEXTS: readonly string[] = [
  '',
  'the end',
  ' leading and  double   spaces ',
  'Line\nbreak\t and tab',
  'naïve café, “quotes” — dash…',
  '你好，世界！我是语言模型。',
  'emoji 😀👩‍👩‍👧 flags 🇩🇪',
  'мир שלום नमस्ते',
  `${'long text without end '.repeat(40)}`,
];
