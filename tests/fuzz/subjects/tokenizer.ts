// tokenizer.json and tokenizer_config.json, and any text through them.

import type { Tokenizer } from '../../../bindings/index.js';
import type { TestRandom } from '../../support/random.js';
import { anyText } from '../byte_damage.js';
import { type Draft, draftFiles, showFiles } from '../draft.js';
import { hostileValue, jsonDamages } from '../json_damage.js';
import { type Damage, oneIn, pick, subject } from '../subject.js';
import { textDraft, withTextModel } from '../text_model.js';
import { makeTokenizer, PARTS } from '../tokenizer_parts.js';
import { Finding, judge } from '../verdict.js';
import { textFault } from './model.js';

type Json = Record<string, unknown>;

/** Changes tokenizer.json where it still is an object. */
function fileDamage(name: string, change: (file: Json, random: TestRandom) => void): Damage<Draft> {
  return {
    name: `tokenizer: ${name}`,
    apply({ tokenizer }, random) {
      const { root } = tokenizer;
      if (typeof root === 'object' && root !== null) change(root as Json, random);
    },
  };
}

/** Changes `model` of tokenizer.json. */
function modelDamage(
  name: string,
  change: (model: Json, random: TestRandom) => void,
): Damage<Draft> {
  return fileDamage(name, ({ model }, random) => {
    if (typeof model === 'object' && model !== null) change(model as Json, random);
  });
}

const PART_DAMAGES = Object.entries(PARTS).map(([key, draw]) =>
  fileDamage(`another ${key}`, (file, random) => {
    file[key] = draw(random);
  }),
);

const DAMAGES: readonly Damage<Draft>[] = [
  ...PART_DAMAGES,
  ...PART_DAMAGES,
  ...jsonDamages<Draft>('tokenizer', ({ tokenizer }) => tokenizer),
  ...jsonDamages<Draft>('tokenizer_config', ({ tokenizerConfig }) => tokenizerConfig),
  textFault('tokenizer.json'),
  textFault('tokenizer_config.json'),
  fileDamage('an added token', (file, random) => {
    const content = pick(random, [
      '<x>',
      '',
      ' ',
      'a',
      'the',
      '<s>',
      '\ud800',
      'a'.repeat(999),
      '(',
    ]);
    const id = pick(random, [0, 1, 298, 299, 300, -1, 2 ** 31, 1.5, '3']);
    const flag = () => oneIn(random, 2);
    const flags = { single_word: flag(), lstrip: flag(), rstrip: flag(), normalized: flag() };
    const added = Array.isArray(file['added_tokens']) ? file['added_tokens'] : [];
    file['added_tokens'] = [...added, { id, content, ...flags, special: flag() }];
  }),
  modelDamage('two tokens with one id', (model) => {
    const vocab = model['vocab'] as Json | undefined;
    if (typeof vocab !== 'object' || Array.isArray(vocab) || vocab === null) return;
    const names = Object.keys(vocab);
    vocab[names.at(-1)!] = vocab[names.at(-2)!];
  }),
  modelDamage('another type', (model, random) => {
    model['type'] = pick<unknown>(random, ['BPE', 'Unigram', 'WordPiece', 'WordLevel', '', null]);
  }),
  modelDamage('merges of another kind', (model, random) => {
    const merges = [[], ['a b c'], [['a']], [['zz', 'zz']], [''], ['a b', ['c', 'd']], [[1, 2]]];
    model['merges'] = pick<unknown>(random, [...merges, hostileValue(random)]);
  }),
  modelDamage('no unknown', (model) => {
    model['unk_token'] = null;
    model['unk_id'] = null;
    model['byte_fallback'] = false;
  }),
  modelDamage('options of a model', (model, random) => {
    const keys = ['fuse_unk', 'byte_fallback', 'ignore_merges', 'dropout', 'end_of_word_suffix'];
    model[pick(random, keys)] = pick<unknown>(random, [true, false, 0.5, '</w>', null]);
  }),
  {
    name: 'tokenizer_config: a kind of its own',
    apply({ tokenizerConfig }, random) {
      tokenizerConfig.root = {
        tokenizer_class: pick<unknown>(random, ['LlamaTokenizer', 'GPT2Tokenizer', 'X', 7]),
        add_bos_token: oneIn(random, 2),
        add_eos_token: oneIn(random, 2),
        bos_token: pick<unknown>(random, ['<s>', '', '<none>', { content: '<s>' }, {}, null]),
        eos_token: pick<unknown>(random, ['</s>', null]),
        added_tokens_decoder: pick<unknown>(random, [{}, { 3: { content: '<y>' } }, [], null]),
        clean_up_tokenization_spaces: oneIn(random, 2),
        remove_space: oneIn(random, 2),
        do_lowercase_and_remove_accent: oneIn(random, 4),
        model_max_length: 1e30,
      };
    },
  },
];

/** Ids are tokens, the same ones each time, and text again. @throws Finding */
export function checkText(tokenizer: Tokenizer, text: string): void {
  for (const addSpecialTokens of [true, false]) {
    const ids = tokenizer.encode(text, { addSpecialTokens });
    const bad = ids.find((id) => !Number.isInteger(id) || id < 0 || id >= tokenizer.vocabSize);
    if (bad !== undefined) {
      throw new Finding(
        'ids',
        `${bad} of ${tokenizer.vocabSize} tokens, from ${JSON.stringify(text)}`,
      );
    }
    const again = tokenizer.encode(text, { addSpecialTokens });
    if (again.join() !== ids.join()) throw new Finding('ids', `${ids}, then ${again}`);
    const decoded: unknown = tokenizer.decode(ids);
    if (typeof decoded !== 'string') throw new Finding('decode', `came ${typeof decoded}`);
  }
}

/** The repetition that patterns with two ways to match it cannot bear. */
function repetition(random: TestRandom): string {
  return `${pick(random, ['a', 'ab', 'x', '1', ' ']).repeat(pick(random, [30, 60, 3000]))}!`;
}

export const tokenizer = subject<Draft>({
  kind: 'tokenizer',
  share: 5,
  damages: DAMAGES,
  make(random) {
    return textDraft(random, { tokenizer: { root: makeTokenizer(random) } });
  },
  async run(draft, random, spoiled) {
    const verdict = await judge(() =>
      withTextModel(draftFiles(draft), async (model) => {
        for (let i = 0; i < 3; i++) checkText(model.tokenizer, anyText(random));
        checkText(model.tokenizer, repetition(random));
        const ids = Array.from({ length: random.below(20) }, () => random.below(300));
        model.tokenizer.decode(ids, { skipSpecialTokens: oneIn(random, 2) });
      }),
    );
    if (spoiled || verdict === 'accepted') return verdict;
    throw new Finding('refused', 'a valid tokenizer was refused');
  },
  show: (draft) =>
    showFiles({ ...(draftFiles(draft) as object), 'model.safetensors': new Uint8Array() }),
});
