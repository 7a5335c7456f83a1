// model.safetensors.index.json: which shard holds which tensor, and shards that know better.

import type { TestRandom } from '../../support/random.js';
import { type Draft, makeDraft, shardIndex } from '../draft.js';
import { jsonDamages } from '../json_damage.js';
import { type Damage, pick } from '../subject.js';
import { modelSubject, textFault } from './model.js';
import { TENSOR_DAMAGES } from './tensors.js';

const NAMES = [
  '../model.safetensors',
  '/etc/passwd.safetensors',
  'http:evil.example?.safetensors',
  '//evil.example/x.safetensors',
  'C:x.safetensors',
  '..\\x.safetensors',
  '.safetensors',
  'a%2fb.safetensors',
  'x.safetensors#y.safetensors',
  'model.safetensors\u0000.safetensors',
  '\u001b[2Jx.safetensors',
  '__proto__',
  'missing.safetensors',
  'config.json',
];

function placed({ index }: Draft): Record<string, unknown> | null {
  const map = (index!.root as { weight_map?: unknown } | null)?.weight_map;
  return typeof map === 'object' && map !== null ? (map as Record<string, unknown>) : null;
}

function placeDamage(
  name: string,
  change: (map: Record<string, unknown>, tensor: string, random: TestRandom) => void,
): Damage<Draft> {
  return {
    name: `index: ${name}`,
    apply(draft, random) {
      const map = placed(draft);
      const names = Object.keys(map ?? {});
      if (map && names.length > 0) change(map, pick(random, names), random);
    },
  };
}

export const shards = modelSubject({
  kind: 'shards',
  share: 2,
  damages: [
    ...jsonDamages<Draft>('index', (draft) => draft.index!),
    placeDamage('a name that reaches elsewhere', (map, tensor, random) => {
      map[tensor] = pick(random, NAMES);
    }),
    placeDamage('a tensor in another shard', (map, tensor, random) => {
      map[tensor] = pick(random, Object.values(map));
    }),
    placeDamage('a tensor less', (map, tensor) => void delete map[tensor]),
    placeDamage('a tensor more', (map, tensor, random) => {
      map[pick(random, ['', 'x.weight', `${tensor}.x`, '__proto__'])] = map[tensor];
    }),
    placeDamage('hundreds of shards', (map, tensor) => {
      for (let i = 0; i < 300; i++) map[`${tensor}${i}`] = `${i}.safetensors`;
    }),
    textFault('model.safetensors.index.json'),
    ...TENSOR_DAMAGES,
  ],
  make(random) {
    const draft = makeDraft(random);
    draft.layout = 1 + random.below(3);
    draft.index = shardIndex(draft, draft.layout);
    return draft;
  },
});
