import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StreamDecoder } from '../../bindings/text/stream_decoder.js';
import { TestRandom } from '../support/random.js';
import { TEXTS, tinyTokenizerFor } from '../support/tiny_text.js';

for (const [name, tokenizer] of Object.entries(tinyTokenizerFor)) {
  const stream = (ids: readonly number[], options?: { skipSpecialTokens: boolean }) => {
    const decoder = new StreamDecoder(tokenizer, options);
    return [...ids.map((id) => decoder.push(id)), decoder.flush()];
  };

  test(`${name}: pieces make the whole, and none holds half a character`, () => {
    for (const text of TEXTS) {
      const pieces = stream(tokenizer.encode(text));
      assert.is(pieces.join(''), text);
      for (const piece of pieces) {
        assert.not(piece.includes('\uFFFD'), `${JSON.stringify(piece)} of ${text}`);
        // A surrogate without its other half is no character.
        assert.not(/\p{Surrogate}/u.test(piece), `${JSON.stringify(piece)} of ${text}`);
      }
      assert.is(pieces.at(-1), '', 'nothing was left for the end');
    }
  });

  test(`${name}: random tokens, valid text or not, read as all at once`, () => {
    const random = new TestRandom(11);
    for (let round = 0; round < 200; round++) {
      // Mostly bytes, and of those mostly such as begin or continue characters.
      const first = tokenizer.encode('\x01', { addSpecialTokens: false }).at(-1)! - 1;
      const ids = Array.from({ length: 60 }, () =>
        random.below(4) === 0 ? random.below(tokenizer.vocabSize) : first + 128 + random.below(128),
      );
      for (const skipSpecialTokens of [true, false]) {
        const options = { skipSpecialTokens };
        assert.is(stream(ids, options).join(''), tokenizer.decode(ids, options), ids.join());
      }
    }
  });

  test(`${name}: a character comes with its last byte`, () => {
    const ids = tokenizer.encode('a€', { addSpecialTokens: false });
    const pieces = stream(ids);
    assert.equal(pieces.slice(-4), ['', '', '€', '']);
  });

  test(`${name}: what stays incomplete comes at the end`, () => {
    const ids = tokenizer.encode('a€', { addSpecialTokens: false }).slice(0, -1);
    const decoder = new StreamDecoder(tokenizer);
    assert.is(ids.map((id) => decoder.push(id)).join(''), 'a');
    assert.is(decoder.flush(), '\uFFFD');
    assert.is(decoder.flush(), '');
    assert.is(ids.map((id) => decoder.push(id)).join(''), 'a', 'as new');
  });

  test(`${name}: the cost of a token does not grow`, () => {
    let longest = 0;
    const counting = {
      isSpecial: (id: number) => tokenizer.isSpecial(id),
      decode: (ids: readonly number[], options?: object) => {
        longest = Math.max(longest, ids.length);
        return tokenizer.decode(ids, options);
      },
    };
    const decoder = new StreamDecoder(counting);
    const stray = tokenizer.encode('€', { addSpecialTokens: false }).at(-1)!;
    const ids = [...tokenizer.encode('long '.repeat(100)), ...Array(100).fill(stray)];
    const text = ids.map((id) => decoder.push(id)).join('') + decoder.flush();
    assert.is(text, tokenizer.decode(ids));
    assert.ok(longest <= 16, `${longest} tokens at once`);
  });
}

test('special tokens are left out, or not, without losing the space behind them', () => {
  const { sentencePiece } = tinyTokenizerFor;
  const [the, and] = ['the', 'and'].map((text) => {
    return sentencePiece.encode(text, { addSpecialTokens: false });
  });
  const ids = [1, ...the!, 2, ...and!];
  for (const skipSpecialTokens of [true, false]) {
    const decoder = new StreamDecoder(sentencePiece, { skipSpecialTokens });
    const text = ids.map((id) => decoder.push(id)).join('') + decoder.flush();
    assert.is(text, skipSpecialTokens ? 'the and' : '<s> the</s> and');
  }
});

test.run();
