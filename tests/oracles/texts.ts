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

/** Ranges without a gap: what is not a character yet becomes one in some later version of Unicode, host by host. */
const BLOCKS: readonly (readonly [first: number, last: number])[] = [
  ...([
    [0x0, 0x7f],
    [0x80, 0x24f],
    [0x300, 0x36f],
    [0x391, 0x3a1],
    [0x410, 0x44f],
  ] as const),
  ...([
    [0x5d0, 0x5ea],
    [0x627, 0x64a],
    [0x904, 0x939],
    [0xe01, 0xe3a],
    [0x2000, 0x2064],
  ] as const),
  ...([
    [0x2100, 0x214f],
    [0x2190, 0x21ff],
    [0x3041, 0x3096],
    [0x30a1, 0x30fa],
  ] as const),
  ...([
    [0x4e00, 0x9fa5],
    [0xac00, 0xd7a3],
    [0xff01, 0xff5e],
    [0x1d400, 0x1d454],
  ] as const),
  ...([
    [0x1f600, 0x1f64f],
    [0x20000, 0x2a6d6],
  ] as const),
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

/** Pieces in a row, and characters of all blocks. */
export function generatedTexts(): string[] {
  const random = new TestRandom(41);
  const pieces = () => PIECES[random.below(PIECES.length)]!;
  const character = (): string => {
    const [first, last] = BLOCKS[random.below(BLOCKS.length)]!;
    return String.fromCodePoint(first + random.below(last - first + 1));
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
