import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { StopMatcher } from '../../bindings/text/stop_matcher.js';
import { raises } from '../support/raises.js';
import { TestRandom } from '../support/random.js';

function run(stops: readonly string[], pieces: readonly string[]) {
  const matcher = new StopMatcher(stops);
  const given = pieces.map((piece) => matcher.push(piece));
  return { given, text: given.join('') + matcher.flush(), matched: matcher.matched };
}

test('text passes when nothing stops it', () => {
  assert.equal(run([], ['a', 'b']), { given: ['a', 'b'], text: 'ab', matched: null });
  assert.equal(run(['xyz'], ['ax', 'b']), { given: ['a', 'xb'], text: 'axb', matched: null });
});

test('a stop string is cut out wherever the pieces break it', () => {
  assert.equal(run(['\n\n'], ['a\n', '\nb']), { given: ['a', ''], text: 'a', matched: '\n\n' });
  assert.equal(run(['end'], ['the end of']).text, 'the ');
  assert.equal(run(['end'], ['e', 'n', 'e', 'n', 'd', 'x']).text, 'en');
});

test('what might have become one comes at the end', () => {
  assert.equal(run(['end'], ['the en']), { given: ['the '], text: 'the en', matched: null });
});

test('of several the first to be complete counts, then the one that began first', () => {
  assert.equal(run(['abcd', 'bc'], ['xabcd']), { given: ['xa'], text: 'xa', matched: 'bc' });
  assert.equal(run(['c', 'abc', 'bc'], ['xabc']), { given: ['x'], text: 'x', matched: 'abc' });
  assert.equal(run(['d', 'b'], ['abcd']).matched, 'b');
});

test('the result does not depend on how the text is cut', () => {
  const random = new TestRandom(5);
  const word = (length: number) => Array.from({ length }, () => 'ab\n'[random.below(3)]).join('');
  for (let round = 0; round < 300; round++) {
    const stops = Array.from({ length: 1 + random.below(3) }, () => word(1 + random.below(5)));
    const text = word(30);
    const pieces: string[] = [];
    for (let at = 0; at < text.length; ) {
      const length = 1 + random.below(6);
      pieces.push(text.slice(at, at + length));
      at += length;
    }
    const { text: whole, matched } = run(stops, [text]);
    const cut = run(stops, pieces);
    assert.equal([cut.text, cut.matched], [whole, matched], JSON.stringify({ stops, pieces }));
    assert.ok(text.startsWith(whole + (matched ?? '')));
    if (matched === null) assert.is(whole, text);
  }
});

test('an empty stop string is refused', () => {
  return raises(() => new StopMatcher(['a', '']), 'OPTION', ['stop', 2, 'empty']);
});

test.run();
