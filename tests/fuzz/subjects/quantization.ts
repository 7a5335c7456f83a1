// What config.json says about compressed weights, against the weights that are there.

import { formatName } from '../../../bindings/formats/codecs.js';
import { PACKED_FORMATS } from '../../support/formats.js';
import type { TestRandom } from '../../support/random.js';
import { type Draft, makeDraft } from '../draft.js';
import { copyJson, hostileValue, type JsonTree, jsonDamages } from '../json_damage.js';
import { type Damage, pick } from '../subject.js';
import { configDamage } from './config.js';
import { modelSubject } from './model.js';
import { TENSOR_DAMAGES } from './tensors.js';

type Json = Record<string, unknown>;

const OURS = 'quantization_config';
const COMPRESSED = PACKED_FORMATS.map(formatName);

/** The quantization of config.json as a tree; one that is aside where there is none. */
function tree({ config }: Draft): JsonTree {
  const holder = config.root as Json | null;
  const key = typeof holder === 'object' && holder !== null ? OURS : '';
  return {
    get root() {
      return key === '' ? null : holder![key];
    },
    set root(value) {
      if (key !== '') holder![key] = value;
    },
  };
}

/** Changes what is said about one tensor. */
function meaningDamage(
  name: string,
  change: (meaning: Json, random: TestRandom, all: Json, path: string) => void,
): Damage<Draft> {
  return configDamage(name, (config, random) => {
    const all = (config[OURS] as { tensors?: Json } | undefined)?.tensors;
    const paths = Object.keys(all ?? {});
    if (typeof all !== 'object' || paths.length === 0) return;
    const path = pick(random, paths);
    const meaning = all[path];
    if (typeof meaning === 'object' && meaning !== null) change(meaning as Json, random, all, path);
  });
}

/** int4-asym is MLX's affine where k has no padding; otherwise the two contradict each other. */
function asMlx(config: Json, random: TestRandom): void {
  const mlx: Json = {
    group_size: pick(random, [32, 32, 64, 128, 16]),
    bits: pick(random, [4, 4, 4, 8, 2, 3, 7]),
  };
  if (random.below(2) === 0) mlx['mode'] = pick(random, ['affine', 'affine', 'mxfp4']);
  if (random.below(4) === 0)
    mlx['model.embed_tokens'] = pick<unknown>(random, [false, { ...mlx }, {}, 7]);
  const where = random.below(4);
  if (where === 3) {
    config['quantization'] = copyJson(mlx);
    return;
  }
  delete config[OURS];
  if (where !== 1) config['quantization'] = copyJson(mlx);
  if (where !== 0) config[OURS] = { ...mlx, bits: pick(random, [4, 4, 8]) };
}

export const QUANTIZATION_DAMAGES: readonly Damage<Draft>[] = [
  ...jsonDamages<Draft>('quantization', tree),
  configDamage('quantization as MLX writes it', asMlx),
  configDamage('no quantization', (config) => void delete config[OURS]),
  configDamage('another method', (config, random) => {
    const ours = config[OURS] as Json | undefined;
    if (typeof ours !== 'object' || ours === null) return;
    ours['quant_method'] = pick<unknown>(random, ['gptq', 'awq', 'bitsandbytes', '', 4, null]);
  }),
  meaningDamage('other bits', (meaning, random) => {
    meaning['bits'] = pick(random, [2, 3, 4, 5, 6, 8, 16, 0, -4]);
  }),
  meaningDamage('symmetric or not', (meaning) => {
    meaning['symmetric'] = meaning['symmetric'] !== true;
  }),
  meaningDamage('in_features off', (meaning, random) => {
    const k = Number(meaning['in_features']);
    meaning['in_features'] = pick(random, [k - 1, k + 1, k + 32, Math.ceil(k / 32) * 32, 1, k * 2]);
  }),
  meaningDamage('linear for palette, or back', (meaning, random) => {
    meaning['type'] = pick(random, ['linear', 'palettize', 'prune', 'sparse']);
  }),
  meaningDamage('groups of another size', (meaning, random) => {
    meaning['group_size'] = pick(random, [16, 32, 64, 128, 1, 0, 3, 2 ** 31]);
  }),
  meaningDamage('one more key', (meaning, random) => {
    const key = pick(random, ['mode', 'granularity', 'lut_dtype', 'enable_per_channel_scale', 'x']);
    const known = ['per_channel', 'per_tensor', 'per_grouped_channel', 'int8', true, false];
    meaning[key] = random.below(2) === 0 ? pick<unknown>(random, known) : hostileValue(random);
  }),
  meaningDamage(
    'nothing said of a tensor',
    (_meaning, _random, all, path) => void delete all[path],
  ),
  meaningDamage('said of a tensor that is not there', (meaning, random, all) => {
    all[pick(random, ['model.norm', 'model.layers.9.x', '', 'lm_head'])] = copyJson(meaning);
  }),
];

export const quantization = modelSubject({
  kind: 'quantization',
  share: 4,
  damages: [...QUANTIZATION_DAMAGES, ...QUANTIZATION_DAMAGES, ...TENSOR_DAMAGES],
  make: (random) => makeDraft(random, COMPRESSED),
});
