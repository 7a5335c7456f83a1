// config.json: types, extreme numbers, fields that are missing, extra or contradict each other or the tensors.

import type { TestRandom } from '../../support/random.js';
import type { Draft } from '../draft.js';
import { hostileNumber, hostileValue, jsonDamages } from '../json_damage.js';
import { type Damage, pick } from '../subject.js';
import { modelSubject, textFault } from './model.js';
import { TENSOR_DAMAGES } from './tensors.js';

type Json = Record<string, unknown>;

/** Changes config.json where it still is an object. */
export function configDamage(
  name: string,
  change: (config: Json, random: TestRandom, draft: Draft) => void,
): Damage<Draft> {
  return {
    name: `config: ${name}`,
    apply(draft, random) {
      const { root } = draft.config;
      if (typeof root === 'object' && root !== null) change(root as Json, random, draft);
    },
  };
}

const NUMBERS = [
  'hidden_size',
  'intermediate_size',
  'num_hidden_layers',
  'num_attention_heads',
  'num_key_value_heads',
  'head_dim',
  'vocab_size',
  'max_position_embeddings',
  'rms_norm_eps',
  'rope_theta',
  'bos_token_id',
  'eos_token_id',
];

const TINY_AND_HUGE = [1e-300, 1e-45, 1e-30, 1e-12, 1e-5, 0.1, 1, 1e5, 1e12, 1e30, 1e300];

function ropeScaling(random: TestRandom): unknown {
  const type = pick(random, [
    'linear',
    'llama3',
    'default',
    'dynamic',
    'yarn',
    'longrope',
    '',
    null,
  ]);
  const number = () => {
    const sane = [1, 2, 4, 8, 32, 64, 8192];
    return random.below(3) > 0 ? pick(random, sane) : pick<unknown>(random, TINY_AND_HUGE);
  };
  const fields: Json = {
    [pick(random, ['rope_type', 'rope_type', 'type'])]: type,
    factor: number(),
    low_freq_factor: number(),
    high_freq_factor: number(),
    original_max_position_embeddings: number(),
    rope_theta: number(),
  };
  for (const key of Object.keys(fields)) if (random.below(6) === 0) delete fields[key];
  return fields;
}

export const CONFIG_DAMAGES: readonly Damage<Draft>[] = [
  ...jsonDamages<Draft>('config', ({ config }) => config),
  configDamage('a number off', (config, random) => {
    const key = pick(random, NUMBERS);
    const value = Number(config[key] ?? 0);
    config[key] = pick(random, [value + 1, value - 1, value * 2, value / 2, hostileNumber(random)]);
  }),
  configDamage('a real number at its edge', (config, random) => {
    config[pick(random, ['rope_theta', 'rms_norm_eps'])] = pick(random, TINY_AND_HUGE);
  }),
  configDamage('heads grouped otherwise', (config, random) => {
    const width = Number(config['num_attention_heads']) * Number(config['head_dim']);
    const headDim = pick(random, [1, 2, 4, 8, 16, 32]);
    config['head_dim'] = headDim;
    config['num_attention_heads'] = width / headDim;
    config['num_key_value_heads'] = pick(random, [1, 2, width / headDim]);
  }),
  configDamage('no head_dim', (config) => void delete config['head_dim']),
  configDamage('rope_scaling', (config, random) => {
    config['rope_scaling'] = ropeScaling(random);
  }),
  configDamage('rope_parameters', (config, random) => {
    config['rope_parameters'] = ropeScaling(random);
    if (random.below(2) === 0) delete config['rope_theta'];
  }),
  configDamage('tied or not', (config) => {
    config['tie_word_embeddings'] = config['tie_word_embeddings'] !== true;
  }),
  configDamage('a feature', (config, random) => {
    const keys = [
      'attention_bias',
      'mlp_bias',
      'sliding_window',
      'hidden_act',
      'partial_rotary_factor',
    ];
    config[pick(random, keys)] = pick<unknown>(random, [true, 'gelu', 'silu', 0.5, 1, 4096, null]);
  }),
  configDamage('another architecture', (config, random) => {
    config['architectures'] = pick<unknown>(random, [
      ['MambaForCausalLM'],
      ['LlamaForCausalLM', 'x'],
      [],
      'LlamaForCausalLM',
      [null],
      null,
    ]);
    config['model_type'] = pick<unknown>(random, ['llama', 'mamba', 7, null]);
  }),
  configDamage('token ids', (config, random) => {
    const ids = [2, [2], [], [2, 2, 1], 299, 300, -1, 1.5, '2', [null], hostileValue(random)];
    config[pick(random, ['bos_token_id', 'eos_token_id'])] = pick(random, ids);
  }),
  textFault('config.json'),
];

export const config = modelSubject({
  kind: 'config',
  share: 5,
  damages: [...CONFIG_DAMAGES, ...CONFIG_DAMAGES, ...TENSOR_DAMAGES],
});
