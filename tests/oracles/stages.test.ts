// Normalizers and pre-tokenizers, one by one, do what those of Rust's tokenizers do.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readTokenizer } from '../../bindings/text/library.js';
import { normalizer, preTokenizer } from '../../bindings/text/stages.js';
import { goldens, jsonDigest } from './goldens.js';
import { STAGES } from './stages.js';
import { generatedTexts, SHORT_TEXTS } from './texts.js';

const GOLDENS = new Map(goldens<{ readonly digest: string }>('stages'));
/** An empty text does not come so far. */
const TEXTS = [...SHORT_TEXTS, ...generatedTexts()].filter((text) => text !== '');
const NO_PARTS = { normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
const FILE = { ...NO_PARTS, added_tokens: [], model: { type: 'BPE', vocab: {}, merges: [] } };

for (const part of ['normalizer', 'pre_tokenizer'] as const) {
  for (const config of STAGES[part]) {
    const name = JSON.stringify(config);
    test(name, () => {
      const parts = readTokenizer(JSON.stringify({ ...FILE, [part]: config }), 1);
      const normalize = normalizer(parts.normalizer);
      const preTokenize = preTokenizer(parts.pre_tokenizer);
      const made = (text: string) =>
        part === 'normalizer' ? [normalize!(text)] : [...preTokenize(text, 0)];
      assert.is(jsonDigest(TEXTS.map(made)), GOLDENS.get(name)!.digest);
    });
  }
}

test.run();
