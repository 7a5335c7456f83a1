// Bytes and UTF-16 as a bad line or a bad mind leaves them.

import type { TestRandom } from '../support/random.js';
import { pick } from './subject.js';

/** The same bytes with one fault among the first `within`. */
export function spoilBytes(
  bytes: Uint8Array,
  random: TestRandom,
  within = bytes.length,
): Uint8Array {
  const at = random.below(Math.max(1, Math.min(within, bytes.length)));
  const copy = bytes.slice();
  switch (random.below(6)) {
    case 0:
      copy[at]! ^= 1 << random.below(8);
      return copy;
    case 1:
      copy[at] = pick(random, [0, 0x22, 0x2c, 0x5b, 0x7b, 0x7d, 0x80, 0xc3, 0xff]);
      return copy;
    case 2:
      return copy.subarray(0, at);
    case 3:
      return joined(copy.subarray(0, at), copy.subarray(at + 1 + random.below(16)));
    case 4:
      return joined(
        copy.subarray(0, at),
        randomBytes(random, 1 + random.below(16)),
        copy.subarray(at),
      );
    default:
      return joined(copy, randomBytes(random, 1 + random.below(64)));
  }
}

export function randomBytes(random: TestRandom, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.below(256));
}

export function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const PIECES = [
  'the hen and the bird',
  ' ',
  '\n\n',
  '\t',
  'naïve “quotes” —',
  '你好，世界',
  '😀👩‍👩‍👧',
  'שלום',
  '<s>',
  '</s>',
  '<unk>',
  '<|im_start|>system\n',
  '<0x0A>',
  '▁',
  'Ġ',
  '\u0000',
  '\ufeff',
  '\ufffd',
  '\ud800',
  '\udc00\ud800',
  'e\u0301\u0301\u0301',
  '\u202e',
  '\u2028',
  '12345 6,789.0',
  "it's we'll I'D",
  '{{ bos_token }}{% for x in y %}',
];

const RUNS = ['a', 'ab', ' ', '1', '😀', '.'];

/** Any UTF-16: words, scripts, special tokens, lone surrogates, long runs. */
export function anyText(random: TestRandom, pieces = 1 + random.below(6)): string {
  let text = '';
  for (let i = 0; i < pieces; i++) {
    const kind = random.below(8);
    if (kind < 5) text += pick(random, PIECES);
    else if (kind === 5) text += String.fromCharCode(random.below(65_536), random.below(65_536));
    else if (kind === 6) text += String.fromCodePoint(random.below(0x110000));
    else text += `${pick(random, RUNS).repeat(1 + random.below(60))}!`;
  }
  return text;
}
