// Our tokenizer gives the ids that Rust's tokenizers gives, and makes the same texts of ids. Where it does not, by
// design, KNOWN says so.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { createTokenizer, type Tokenizer } from '../../bindings/text/tokenizer.js';
import { vocabulary } from '../support/vocabularies.js';
import { goldens, jsonDigest } from './goldens.js';
import { generatedIds, generatedTexts, SHORT_TEXTS } from './texts.js';

interface Golden {
  readonly ids?: readonly number[][];
  readonly digest?: string;
  readonly decoded: string;
}

const NAMES = ['deepseek_v3', 'llama2', 'mistral_nemo', 'qwen3'];
const CONFIG = { vocabSize: 200_000, bosTokenId: null, eosTokenIds: [] };
/** Texts, or lists of ids, that share a digest. */
const PART = 50;
const UNKNOWN = '\ufffd';

/** Differences that are meant. */
const KNOWN: readonly { readonly name: string; readonly ids: readonly number[]; text: string }[] = [
  {
    // Rust's tokenizers makes U+FFFD of all bytes in a row if one does not fit; we of what does not fit, as decoders
    // of UTF-8 do, so that a text which was streamed does not change afterwards.
    name: 'llama2',
    ids: [3 + 0xe4, 3 + 0xbd, 3 + 0xa0, 3 + 0x41, 3 + 0xe4],
    text: '\u4f60A\ufffd',
  },
];

const GOLDENS = new Map(goldens<Golden>('token_ids'));
const TEXTS = generatedTexts();
const IDS = generatedIds();

test('there are goldens for all', () => {
  const perName = 1 + TEXTS.length / PART + (2 * IDS.length) / PART;
  assert.is(GOLDENS.size, NAMES.length * perName);
});

for (const name of NAMES) {
  const texts = vocabulary(name);
  if (texts === null) continue;
  const tokenizer = createTokenizer(texts, CONFIG);
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const decodeAll = (ids: readonly number[]) => tokenizer.decode(ids, { skipSpecialTokens: false });

  test(`${name}: the ids of short texts`, () => {
    const { ids, decoded } = GOLDENS.get(`${name}: short texts`)!;
    for (const [i, text] of SHORT_TEXTS.entries()) {
      assert.equal(encode(text), ids![i], JSON.stringify(text));
    }
    assert.is(jsonDigest(ids!.map(decodeAll)), decoded);
  });

  test(`${name}: the ids of generated texts, and back`, () => {
    for (let begin = 0; begin < TEXTS.length; begin += PART) {
      const where = `${name}: texts from ${begin}`;
      const { digest, decoded } = GOLDENS.get(where)!;
      const ids = TEXTS.slice(begin, begin + PART).map(encode);
      assert.is(jsonDigest(ids), digest, where);
      assert.is(jsonDigest(ids.map(decodeAll)), decoded, where);
    }
  });

  test(`${name}: the texts of generated ids`, () => {
    for (const skipSpecialTokens of [true, false]) {
      for (let begin = 0; begin < IDS.length; begin += PART) {
        const what = skipSpecialTokens ? ', without special tokens' : '';
        const where = `${name}: ids from ${begin}${what}`;
        const part = IDS.slice(begin, begin + PART);
        const decoded = part.map((ids) => tokenizer.decode(ids, { skipSpecialTokens }));
        assert.is(jsonDigest(compared(name, decoded)), GOLDENS.get(where)!.decoded, where);
      }
    }
  });

  test(`${name}: differences that are meant`, () => checkKnown(name, tokenizer));
}

/** Without what KNOWN says. */
function compared(name: string, texts: readonly string[]): readonly string[] {
  if (!KNOWN.some((known) => known.name === name)) return texts;
  return texts.filter((text) => !text.includes(UNKNOWN));
}

function checkKnown(name: string, tokenizer: Tokenizer): void {
  for (const known of KNOWN) {
    if (known.name === name) assert.is(tokenizer.decode(known.ids), known.text);
  }
}

test.run();
