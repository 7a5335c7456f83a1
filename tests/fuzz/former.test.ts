// Inputs that the fuzzer once found something with, in their least form.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { loadModel, type SessionOptions } from '../../bindings/index.js';
import { parseRecipe } from '../../bindings/compress/index.js';
import { TestRandom } from '../support/random.js';
import { type Draft, draftFiles, makeDraft } from './draft.js';
import { RawJson } from './json_damage.js';
import { runModel } from './oracle.js';
import { makeTokenizer } from './tokenizer_parts.js';
import { judge } from './verdict.js';

type Json = Record<string, unknown>;

const DEEP = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;

function draft(): Draft {
  return { ...makeDraft(new TestRandom(1), ['float']), layout: 'directory' };
}

/** A model that must be refused by name. */
function refusedModel(name: string, change: (config: Json, draft: Draft) => void): void {
  test(name, async () => {
    const one = draft();
    change(one.config.root as Json, one);
    assert.is(await runModel(draftFiles(one), new TestRandom(2)), 'refused');
  });
}

/** A tokenizer.json that gives ids of the model, or is refused by name at load or when it is used. */
function namedTokenizer(name: string, change: (file: Json) => void): void {
  test(name, async () => {
    const one = draft();
    const file = makeTokenizer(new TestRandom(1));
    change(file);
    one.tokenizer.root = file;
    one.tokenizerConfig.root = {};
    await judge(async () => {
      const model = await loadModel(draftFiles(one), { threads: 1 });
      try {
        const ids = model.tokenizer.encode('the hen');
        const { vocabSize } = model.config;
        assert.ok(
          ids.every((id) => Number.isInteger(id) && id < vocabSize),
          `${ids}`,
        );
        model.tokenizer.decode(ids);
      } finally {
        await model.dispose();
      }
    });
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
refusedModel('a field of config.json nested 100,000 deep', (config) => {
  config['hidden_size'] = new RawJson(DEEP);
});
refusedModel('a shape nested 100,000 deep', (_config, { headerEdits }) => {
  headerEdits.push((entries) => {
    (entries[1]![1] as Json)['shape'] = new RawJson(DEEP);
  });
});
test('a recipe nested 100,000 deep', async () => {
  const json: unknown = JSON.parse(`{"global":{"type":${DEEP}}}`);
  assert.is(await judge(async () => void parseRecipe(json)), 'refused');
});

// The library underneath made no parts of these and called them.
for (const key of ['post_processor', 'decoder']) {
  const parts = key === 'decoder' ? 'decoders' : 'processors';
  namedTokenizer(`null in a Sequence: ${key}`, (file) => {
    file[key] = { type: 'Sequence', [parts]: [null] };
  });
}

// Ids that a post-processor adds were compared with nothing.
namedTokenizer('a special token of a post-processor beyond the vocabulary', (file) => {
  file['post_processor'] = {
    type: 'TemplateProcessing',
    single: [{ SpecialToken: { id: '<s>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
    pair: [],
    special_tokens: { '<s>': { id: '<s>', ids: [2 ** 31], tokens: ['<s>'] } },
  };
});

test('a Symbol where an option is expected', async () => {
  const model = await loadModel(draftFiles(draft()), { threads: 1 });
  const strange = Symbol.iterator as unknown as number;
  const calls: readonly (() => Promise<unknown>)[] = [
    () => model.createSession({ contextLength: strange } as SessionOptions),
    () => model.complete('the hen', { maxTokens: strange }),
    () => model.complete(strange as unknown as string),
    () => model.complete('the hen', { stop: [strange as unknown as string] }),
    () => loadModel(draftFiles(draft()), { threads: strange }),
    () => loadModel(draftFiles(draft()), { kvCacheBytes: strange }),
  ];
  for (const call of calls) {
    assert.is(await judge(async () => void (await call())), 'refused', String(call));
  }
  await model.dispose();
});

test.run();
