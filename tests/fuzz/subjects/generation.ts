// generation_config.json: how a model's authors want it sampled.

import { type Draft, makeDraft } from '../draft.js';
import { hostileNumber, jsonDamages } from '../json_damage.js';
import { pick } from '../subject.js';
import { modelSubject, textFault } from './model.js';

const KEYS = [
  'temperature',
  'top_k',
  'top_p',
  'min_p',
  'repetition_penalty',
  'bos_token_id',
  'eos_token_id',
  'do_sample',
];

export const generation = modelSubject({
  kind: 'generation',
  share: 2,
  damages: [
    ...jsonDamages<Draft>('generation', ({ generation }) => generation),
    {
      name: 'generation: a number at its edge',
      apply({ generation }, random) {
        if (typeof generation.root !== 'object' || generation.root === null) return;
        const edges = [0, 1e-300, 1e-7, 1e-6, 0.999, 1, 1.001, 2, 1e300, hostileNumber(random)];
        (generation.root as Record<string, unknown>)[pick(random, KEYS)] = pick(random, edges);
      },
    },
    textFault('generation_config.json'),
  ],
  make(random) {
    const draft = makeDraft(random, ['float', 'int4']);
    const sane = { temperature: 0.8, top_k: 40, top_p: 0.9, min_p: 0.05, repetition_penalty: 1.1 };
    Object.assign(draft.generation.root as object, sane, { do_sample: random.below(3) > 0 });
    return draft;
  },
});
