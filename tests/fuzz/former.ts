// Inputs that the fuzzer once found something with, in their least form: subjects of one input each, as some hang.

import { readTextFile } from '../../bindings/cli/text_file.js';
import { parseRecipe } from '../../bindings/compress/index.js';
import { loadModel, type Model } from '../../bindings/index.js';
import { TestRandom } from '../support/random.js';
import { type Draft, draftFiles, makeDraft } from './draft.js';
import { RawJson } from './json_damage.js';
import { runModel } from './oracle.js';
import { type Subject, subject } from './subject.js';
import { checkText } from './subjects/tokenizer.js';
import { withTextModel } from './text_model.js';
import { makeTokenizer } from './tokenizer_parts.js';
import { Finding, judge, type Verdict } from './verdict.js';

export const subjects: Subject[] = [];

type Json = Record<string, unknown>;

const DEEP = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

function draft(): Draft {
  return { ...makeDraft(new TestRandom(1), ['float']), layout: 'directory' };
}

function former(kind: string, run: () => Promise<Verdict>): void {
  subjects.push(
    subject<null>({ kind, share: 1, damages: [], make: () => null, run, show: () => kind }),
  );
}

/** A model that must be refused by name. */
function refusedModel(name: string, change: (config: Json, draft: Draft) => void): void {
  former(name, async () => {
    const one = draft();
    change(one.config.root as Json, one);
    const verdict = await runModel(draftFiles(one), new TestRandom(2));
    if (verdict === 'accepted') throw new Finding('accepted', name);
    return verdict;
  });
}

/** A tokenizer.json that gives ids of the model, or is refused by name at load or when it is used. */
function namedTokenizer(name: string, change: (file: Json) => void): void {
  former(name, () => {
    const one = draft();
    const file = makeTokenizer(new TestRandom(1));
    change(file);
    one.tokenizer.root = file;
    one.tokenizerConfig.root = {};
    return judge(() =>
      withTextModel(draftFiles(one), async ({ tokenizer }) => {
        for (const text of ['the hen', `${'a'.repeat(60)}!`]) checkText(tokenizer, text);
      }),
    );
  });
}

// Angles so large that their sine is not computed: other logits than the reference executor's.
refusedModel('rope_scaling.factor 1e-12', (config) => {
  config['rope_scaling'] = { rope_type: 'linear', factor: 1e-12 };
});
refusedModel('rope_theta 1e-12', (config) => {
  config['rope_theta'] = 1e-12;
});

// JSON.parse reads it, JSON.stringify for the message overflowed the stack.
refusedModel('a field of config.json nested 100000 deep', (config) => {
  config['hidden_size'] = new RawJson(DEEP);
});
refusedModel('a shape nested 100000 deep', (_config, { headerEdits }) => {
  headerEdits.push((entries) => {
    (entries[1]![1] as Json)['shape'] = new RawJson(DEEP);
  });
});
former('a recipe nested 100000 deep', () => {
  const json: unknown = JSON.parse(`{"global":{"type":${DEEP}}}`);
  return judge(async () => void parseRecipe(json));
});
former('a dtype nested 5000 deep', () => {
  const dtype: unknown = JSON.parse(`${'['.repeat(5000)}${']'.repeat(5000)}`);
  return judge(async () => void parseRecipe({ global: { type: 'linear', dtype } }));
});
// Written, and then refused by the reader, whose limit was another.
former('a table for more rows than any matrix has', async () => {
  const global = { type: 'palettize', nbits: 4, granularity: 'per_grouped_channel' };
  const verdict = await judge(
    async () => void parseRecipe({ global: { ...global, group_size: 3e9 } }),
  );
  if (verdict === 'accepted') throw new Finding('accepted', 'group_size 3e9');
  return verdict;
});
former('a file without a name', () => judge(async () => void (await readTextFile('', '--text'))));

// The library underneath made no parts of these and called them.
for (const key of ['post_processor', 'decoder']) {
  const parts = key === 'decoder' ? 'decoders' : 'processors';
  namedTokenizer(`null in a Sequence: ${key}`, (file) => {
    file[key] = { type: 'Sequence', [parts]: [null] };
  });
}

// Of a Unigram, this id was compared with nothing and given out as a token.
namedTokenizer('unk_id beyond the vocabulary', (file) => {
  const vocab = ['<unk>', 'a', 'h', 'e'].map((piece) => [piece, -1]);
  file['normalizer'] = null;
  file['model'] = { type: 'Unigram', unk_id: 2 ** 31, vocab, byte_fallback: false };
});

// It cut off nothing, again and again.
namedTokenizer('FixedLength 0', (file) => {
  file['pre_tokenizer'] = { type: 'FixedLength', length: 0 };
});

// Two ways to match each letter: twice the time for each more.
namedTokenizer('a pattern of exponential time', (file) => {
  const pattern = { Regex: '([a-z]+)*\\d' };
  file['pre_tokenizer'] = { type: 'Split', pattern, behavior: 'Isolated', invert: false };
});

const STRANGE = Symbol.iterator as unknown as number;
const CALLS: Readonly<Record<string, (model: Model) => Promise<unknown>>> = {
  contextLength: (model) => model.createSession({ contextLength: STRANGE }),
  maxTokens: (model) => model.complete('the hen', { maxTokens: STRANGE }),
  prompt: (model) => model.complete(STRANGE as unknown as string),
  stop: (model) => model.complete('the hen', { stop: [STRANGE as unknown as string] }),
  threads: () => loadModel(draftFiles(draft()), { threads: STRANGE }),
  kvCacheBytes: () => loadModel(draftFiles(draft()), { kvCacheBytes: STRANGE }),
};
for (const [option, call] of Object.entries(CALLS)) {
  // A message made by a template literal threw a TypeError of its own.
  former(`a Symbol as ${option}`, () =>
    judge(() => withTextModel(draftFiles(draft()), async (model) => void (await call(model)))),
  );
}
