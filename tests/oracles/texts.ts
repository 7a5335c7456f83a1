// Texts that are hard on tokenizers.

import { TestRandom } from '../support/random.js';
import { TEXTS } from '../support/tiny_text.js';

/** Characters of which implementations think differently, control tokens of several models, words, numbers, code. */
const PIECES: readonly string[] = [
  ...[
    'the ',
    'THE END',
    'Th\u00e9 end',
    ' and',
    'x',
    'ing',
    'zzz',
    'foo_bar',
    'fooBar',
    ' a',
    'a\n',
  ],
  ...['\n', '\n\n', '\r\n', '\t', '  ', '    ', '\u0000', '\u001c', '\u0085', '\u00a0', '\u1680'],
  ...['\u180e', '\u200b', '\u200d', '\u2028', '\u3000', '\ufeff', '\u2581', '\ufffd', '\uffff'],
  ...[
    "'s",
    "'S",
    "'t",
    '\u2019s',
    "'ll",
    "I'VE",
    '\u017f',
    "'\u017f",
    '\u212a',
    '\u0130',
    '\u00df',
  ],
  ...[
    '\u1e9e',
    '\u01c5',
    '\u02b0',
    '\u00aa',
    '\ua7f8',
    '\ud801\udc37',
    '\u00e9',
    'e\u0301',
    '\u0301',
  ],
  ...[
    '1',
    '123',
    '4567',
    ' 1',
    '3.14',
    '1,000',
    '\u2177',
    '\u00b2',
    '\u00bd',
    '\u0663',
    '\u0e53',
    'x\u00b2',
  ],
  ...[
    '\u4f60\u597d',
    '\u4e16\u754c',
    '\u3031',
    '\u3005',
    '\u30fc',
    '\u3002',
    '\uff0c',
    '\u300c',
    '\uff21',
  ],
  ...[
    '\uff71',
    '\uff76\uff9e',
    '\uac00',
    '\u1100\u1161',
    '\u0e33',
    '\u0627',
    '\ufdfa',
    '\ufb01',
    '\u2460',
  ],
  ...[
    '\u043c\u0438\u0440',
    '\u05e9\u05dc\u05d5\u05dd',
    '\u0928\u092e\u0938\u094d\u0924\u0947',
    '\u0483',
  ],
  ...['\ud83d\ude00', '\ud83d\udc69\u200d\ud83d\udc67', '\ud83c\udde9\ud83c\uddea', '\ud835\udd04'],
  ...[
    '\udbff\udfff',
    '\udb40\udc01',
    '\ud867\udfb5',
    '\u0378',
    '\ufdd0',
    '!',
    '...',
    '\u2026',
    '_',
    '-',
  ],
  ...['#', '@', '$', '\u20ac', '+', '=', '<', '>', '|', '<|', '|>', 'http://a.b/c?d=e', '<0x0A>'],
  ...['<unk>', '<s>', '</s>', '<|im_start|>', '<|endoftext|>', '[INST]', '[/INST]', '<think>'],
];

/** Few enough that their ids can be looked at. */
export const SHORT_TEXTS: readonly string[] = [
  ...TEXTS,
  ...PIECES.map((piece) => `a${piece}b ${piece}${piece} `),
  'a'.repeat(300),
  `${'the'.repeat(50)} ${' '.repeat(50)}`,
  '\n'.repeat(50),
  '1'.repeat(50),
];

/** Pieces in a row, and any characters. */
export function generatedTexts(): string[] {
  const random = new TestRandom(41);
  const pieces = () => PIECES[random.below(PIECES.length)]!;
  const character = (): string => {
    const point = random.below(3) > 0 ? random.below(0x3000) : random.below(0x110000);
    // What is half of a pair is no text.
    return point >= 0xd800 && point < 0xe000 ? ' ' : String.fromCodePoint(point);
  };
  return Array.from({ length: 1000 }, (_, i) => {
    const one = i % 4 === 3 ? character : pieces;
    return Array.from({ length: 1 + random.below(16) }, one).join('');
  });
}

/** Lists of ids below 32000, which all vocabularies have; the first 300, among them bytes, more often. */
export function generatedIds(): number[][] {
  const random = new TestRandom(42);
  const id = () => random.below(random.below(4) > 0 ? 32_000 : 300);
  return Array.from({ length: 500 }, () => Array.from({ length: 1 + random.below(10) }, id));
}
