// Patterns match what RegExp says, and in time that grows with the text.

import { Tokenizer as Library } from '@huggingface/tokenizers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Pattern } from '../../bindings/text/pattern/pattern.js';
import { raises } from '../support/raises.js';
import { TestRandom } from '../support/random.js';
import { TEXTS } from '../support/tiny_text.js';

/** As tokenizer.json of published models has them. */
const PUBLISHED: Readonly<Record<string, string>> = {
  'GPT-2': String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
  'Llama 3': String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  'Qwen 2': String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  o200k: String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  cl100k: String.raw`'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s`,
  'DeepSeek 3': `[!"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_\`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|\\s*[\r\n]+|\\s+(?!\\S)|\\s+`,
  'DeepSeek, Chinese': '[一-龥\u3040-ゟ゠-ヿ]+',
  'DeepSeek, letters': String.raw`\s?[A-Za-zµÀ-ÖØ-öø-ƺƼ-ƿǄ-ʓʕ-ʯͰ-ͳͶͷͻ-ͽͿΆΈ-Ί]+`,
  'DeepSeek, line ends': String.raw`\s+$`,
  BLOOM: ' ?[^(\\s|[.,!?…。，、।۔،])]+',
  Falcon: '[0-9][0-9][0-9]',
  'Kimi K2': String.raw`[\p{Han}]+|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]*[\p{Ll}\p{Lm}\p{Lo}\p{M}&&[^\p{Han}]]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`,
  CLIP: String.raw`<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+`,
  'digits from the right': String.raw`\d{1,3}(?=(?:\d{3})*\b)`,
};

/** What the library makes of a pattern in tokenizer.json. */
function expressionOf(pattern: string): RegExp {
  const split = { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false };
  const none = { normalizer: null, post_processor: null, decoder: null, added_tokens: [] };
  const model = { type: 'BPE', vocab: {}, merges: [] };
  const { pre_tokenizer } = new Library({ ...none, pre_tokenizer: split, model }, {});
  return (pre_tokenizer as unknown as { pattern: RegExp }).pattern;
}

function checkSame(expression: RegExp, pattern: Pattern, text: string): void {
  const found = [...text.matchAll(expression)].map(({ 0: match, index }) => [
    index,
    index + match.length,
  ]);
  // V8 finds empty matches between the halves of a pair, where no match may be.
  const expected = found.filter(
    ([at]) => !/^[\ud800-\udbff][\udc00-\udfff]$/.test(around(text, at!)),
  );
  const matches = Array.from(pattern.matches(text), ({ begin, end }) => [begin, end]);
  assert.equal(matches, expected, `${expression.source} in ${JSON.stringify(text)}`);
}

function around(text: string, at: number): string {
  return text.slice(Math.max(0, at - 1), at + 1);
}

const WORDS = [
  ...[
    'Hello',
    ' world',
    "I'LL",
    "don't",
    '  ',
    '\n',
    '\r\n',
    ' \n ',
    '12345',
    '½',
    '٣',
    '你好',
    'カナ',
    '世',
  ],
  ...[
    '...',
    '!?',
    'éa\u0301',
    'ß',
    'ǅ',
    '😀',
    '\ud83d',
    '\u00a0',
    '\u3000',
    '\ufeff',
    '_',
    '<|x|>',
    'AbC',
    '\t',
    'ͰΆ',
  ],
];

for (const [name, source] of Object.entries(PUBLISHED)) {
  test(`as RegExp: ${name}`, () => {
    const expression = expressionOf(source);
    const pattern = new Pattern(expression.source, 'pre_tokenizer');
    const random = new TestRandom(3);
    for (const text of TEXTS) checkSame(expression, pattern, text);
    for (let i = 0; i < 200; i++) {
      const words = Array.from(
        { length: random.below(12) },
        () => WORDS[random.below(WORDS.length)],
      );
      checkSame(expression, pattern, words.join(''));
    }
    checkSame(expression, pattern, `${' '.repeat(500)}x${'A'.repeat(500)}${'1'.repeat(500)}`);
  });
}

const ATOMS = [
  ...['a', 'b', '[ab]', '[^a]', '\\p{L}', '\\s', '.', '😀', '\\ud83d\\ude00', '\\x61'],
  ...['(?=b)', '(?!a)', '(?<=a)', '(?<!b)', '(?<=a|bb)', '(?=(?:ab)*c)', '(?<x>b)'],
];
const QUANTIFIERS = ['*', '+', '?', '{2}', '{1,3}', '*?', '+?', '??', '{2,}', '{0,2}?'];

function randomPattern(random: TestRandom, depth: number): string {
  const kind = random.below(10);
  if (depth === 0 || kind < 4) return ATOMS[random.below(ATOMS.length)]!;
  const part = randomPattern(random, depth - 1);
  if (kind < 6) return part + randomPattern(random, depth - 1);
  if (kind < 7) return `(?:${part}|${randomPattern(random, depth - 1)})`;
  return `(?:${part})${QUANTIFIERS[random.below(QUANTIFIERS.length)]}`;
}

test('as RegExp: random patterns and texts, also where failures are remembered', async () => {
  const random = new TestRandom(17);
  let compared = 0;
  for (let i = 0; i < 1200; i++) {
    const source = randomPattern(random, 5);
    let pattern: Pattern;
    try {
      pattern = new Pattern(source, 'x');
    } catch {
      await raises(() => new Pattern(source, 'x'), 'UNSUPPORTED', ['match nothing']);
      continue;
    }
    const expression = new RegExp(source.replace('(?<x>', '('), 'gu');
    for (const length of [4, 13, 13, 25]) {
      const characters = Array.from({ length }, () => 'aababc \n'[random.below(8)]!);
      if (random.below(2) === 0) characters[random.below(length)] = '😀';
      if (random.below(8) === 0) characters[random.below(length)] = '\ud83d';
      checkSame(expression, pattern, characters.join(''));
      compared++;
    }
  }
  assert.ok(compared > 2400, String(compared));
});

/** Each takes RegExp time in a power of the length, or in a power of two. */
const SLOW: readonly [source: string, unit: string, end: string, matches: number][] = [
  ['(?:a+)+b', 'a', 'c', 0],
  ['(?:a|a)*c', 'a', 'b', 0],
  ['(?:a|aa)+b|a', 'a', '', 100_000],
  ['(?:a|b|ab)*c', 'ab', '', 0],
  ['(?:.*,)*z', 'a,', '', 0],
  ['a+a+a+b', 'a', '', 0],
  ['(?:a+b?)+c', 'a', '', 0],
  ['\\s+(?!.|\\s)', ' ', 'x', 0],
  ['(?=(?:a|a)*c)a', 'a', '', 0],
  ['(?<=(?:a|a)*c)a', 'a', '', 0],
  ['(?:(?:a+)+)+b|a', 'a', '', 100_000],
  ['(?:a|a)*c|(?:a+)+d', 'a', '', 0],
];
/** Most take a tenth of a second; in the square of the length it was 18 s. */
const SLOW_MS = 8000;

for (const [source, unit, end, matches] of SLOW) {
  test(`in time that grows with the text: ${source}`, () => {
    const text = unit.repeat(100_000) + end;
    let found = 0;
    const started = performance.now();
    for (const _ of new Pattern(source, 'x').matches(text)) found++;
    const ms = performance.now() - started;
    assert.is(found, matches);
    assert.ok(ms < SLOW_MS, `${ms} ms`);
  });
}

test('what takes more than its share of steps ends with an error that names the pattern', () => {
  // Thousands of ways that fail late, from every place.
  const source = `(?:${new Array(1200).fill('aa*?b').join('|')})`;
  const run = () => [...new Pattern(source, 'pre_tokenizer').matches('a'.repeat(20_000))];
  const parts = ['[tokenizer.json] pre_tokenizer', 'aa*?b|', 'steps', 20_000];
  return raises(run, 'FORMAT', parts);
});

const REFUSED: readonly [name: string, source: string, part: string][] = [
  ['a back reference', '(a)\\1', '\\\\1'],
  ['a back reference by name', '(?<x>a)\\k<x>', '\\\\k'],
  ['an empty part, repeated', '(?:a*)*', 'match nothing'],
  ['a huge repetition', 'a{1000000000}', '10000'],
  ['repetitions of repetitions', '(?:(?:a{1,50}){1,50}){1,50}', '10000'],
  ['too many groups', `${'('.repeat(101)}a${')'.repeat(101)}`, '100'],
];

for (const [name, source, part] of REFUSED) {
  test(`refused: ${name}`, () => {
    const parts = ['[tokenizer.json] decoder: the pattern', source.slice(0, 1), part];
    return raises(() => new Pattern(source, 'decoder'), 'UNSUPPORTED', parts);
  });
}

test.run();
