// A tokenizer that came with a model cannot hold up the process: each is loaded and used in a process of its own, which
// has 20 seconds where it hung for minutes or died.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text as readText } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { HOSTILE } from './hostile.js';

const MAIN = fileURLToPath(new URL('./hostile.js', import.meta.url));
const TIME_LIMIT_MS = 20_000;
const MEMORY_MB = 600;

/** Parts of the error's message; or how many tokens or characters come out. */
const EXPECTED: Readonly<Record<string, readonly string[] | number>> = {
  'an exponential pattern in the pre-tokenizer': 25_001,
  'one in the normalizer, met by an added token while loading': 0,
  'one in the decoder': 100_000,
  'merges that collide': 0,
  'merges that differ in spaces': 0,
  'special tokens of the settings, half a million': 0,
  'pieces of no length': ['pre_tokenizer', 'FixedLength.length', 'above 0', '0'],
  'replacements that double the text thirty times': ['normalizer', '6400000', '3204096'],
  'a pre-tokenizer that doubles bytes thirty times': ['pre_tokenizer', '36128'],
  'replacements with what stands before and behind': 400_000,
  'a decoder that doubles the text thirty times': ['decoder', '640000', '324096'],
  'a text that is added thousands of times': ['TemplateProcessing.single', '256'],
  'added tokens that match for long': ['added_tokens', '1024', 'aaa'],
  'words that take their cube': ['max_input_chars_per_word', '256', '1000000000'],
  'a word of a million characters': 666_665,
  'a million characters that have no token': 1,
};

for (const name of Object.keys(HOSTILE)) {
  test(`ends in time: ${name}`, async () => {
    const child = spawn(process.execPath, [`--max-old-space-size=${MEMORY_MB}`, MAIN, name], {
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: TIME_LIMIT_MS,
      killSignal: 'SIGKILL',
    });
    const [[code, signal], output] = await Promise.all([
      once(child, 'close'),
      readText(child.stdout),
    ]);
    assert.equal([code, signal], [0, null], 'it did not end by itself');
    const outcome = JSON.parse(output);
    const expected = EXPECTED[name]!;
    if (typeof expected === 'number') {
      assert.is(outcome.tokens ?? outcome.characters, expected, output);
      return;
    }
    assert.is(outcome.code, 'FORMAT', output);
    for (const part of ['[tokenizer.json]', ...expected])
      assert.ok(outcome.message.includes(part), output);
  });
}

test.run();
