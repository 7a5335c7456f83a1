// What a caller may get wrong: prompts, and options of sampler, session and load.

import type { ModelLocation } from '../../bindings/index.js';
import type { TestRandom } from '../support/random.js';
import { anyText } from './byte_damage.js';
import { hostileValue } from './json_damage.js';
import { type Damage, oneIn, pick } from './subject.js';

type Json = Record<string, unknown>;

export interface Call {
  readonly model: ModelLocation;
  readonly load: Json;
  readonly session: Json;
  readonly options: Json;
  readonly prompts: unknown[];
}

const SAMPLING: Readonly<Record<string, readonly unknown[]>> = {
  temperature: [0, 1e-7, 1e-6, 0.5, 1, 2, 1e30, 1e300],
  topK: [0, 1, 2, 299, 300, 301, 2 ** 31, 1.5],
  topP: [1, 0.5, 1e-300, 1e-9, 0, 1.0001],
  minP: [0, 0.5, 1, 1e-300, -0.1],
  repetitionPenalty: [1, 1.1, 1e-300, 1e-30, 1e30, 1e300, 0, -1],
  seed: [0, 1, 2 ** 32, Number.MAX_SAFE_INTEGER, -1, 0.5],
  maxTokens: [0, 1, 3, 64, 1e6, -1, 0.5],
  stop: ['', 'a', ['e', 'th'], [''], [], 'x'.repeat(10_000), [7], '\ud800'],
};

/** Numbers that JSON has not. */
const STRANGE: readonly unknown[] = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  undefined,
  null,
  '1',
  {},
  [],
  10n,
  Symbol.iterator,
  () => 1,
];

function bias(random: TestRandom): Json {
  const values = [0, 5, -100, 1e30, 1e300, ...(STRANGE.slice(0, 3) as number[])];
  const ids = [0, 5, 299, 300, -1, 1.5, 'x'];
  const entries = Array.from({ length: 1 + random.below(4) }, () => {
    return [pick(random, ids), pick(random, values)];
  });
  return Object.fromEntries(entries);
}

export const CALL_DAMAGES: readonly Damage<Call>[] = [
  {
    name: 'an option at its edge',
    apply({ options }, random) {
      const key = pick(random, Object.keys(SAMPLING));
      options[key] = pick(random, SAMPLING[key]!);
    },
  },
  {
    name: 'an option of another type',
    apply({ options }, random) {
      const key = pick(random, [...Object.keys(SAMPLING), 'logitBias', 'allowedTokens', 'chat']);
      options[key] = oneIn(random, 2) ? pick(random, STRANGE) : jsonValue(random);
    },
  },
  {
    name: 'logitBias',
    apply({ options }, random) {
      options['logitBias'] = bias(random);
    },
  },
  {
    name: 'allowedTokens',
    apply({ options }, random) {
      const words = pick(random, [0, 1, 9, 10, 11]);
      const word = pick(random, [0, 1, 0xffffffff, 0x80000000]);
      options['allowedTokens'] = new Uint32Array(words).fill(word);
    },
  },
  {
    name: 'options of the session',
    apply({ session }, random) {
      const lengths = [1, 2, 31, 32, 33, 64, 65, 0, -1, 1.5, 2 ** 31, ...STRANGE];
      session['contextLength'] = pick<unknown>(random, lengths);
    },
  },
  {
    name: 'options of the load',
    apply({ load }, random) {
      const values: Readonly<Record<string, readonly unknown[]>> = {
        kvCache: ['f32', 'f16', 'int8', 'int4', ''],
        kvCacheBytes: [1, 1000, 100_000, 2 ** 40, 0, -1],
        simd: ['auto', 'baseline', 'relaxed', 'x'],
        device: ['wasm', 'reference', 'auto', 'webgpu', 'x'],
        threads: [1, 2, 0, -1, 1.5, 'x'],
      };
      const key = pick(random, Object.keys(values));
      load[key] = oneIn(random, 6) ? pick(random, STRANGE) : pick(random, values[key]!);
    },
  },
  {
    name: 'a prompt of ids',
    apply({ prompts }, random) {
      const ids = [0, 1, 2, 299, 300, -1, 1.5, 2 ** 32, Number.NaN, '1', null];
      const most = oneIn(random, 2) ? 4 : ids.length;
      prompts.push(Array.from({ length: random.below(70) }, () => ids[random.below(most)]));
    },
  },
  {
    name: 'a prompt of another type',
    apply({ prompts }, random) {
      const typed = [new Uint32Array([1, 2]), new Set([3]), [[]], [{}], [null], new Map()];
      prompts.push(pick<unknown>(random, [...STRANGE, ...typed, jsonValue(random)]));
    },
  },
  {
    name: 'a long prompt',
    apply({ prompts }, random) {
      prompts.push(anyText(random, 40).repeat(1 + random.below(20)));
    },
  },
];

function jsonValue(random: TestRandom): unknown {
  return JSON.parse(JSON.stringify(hostileValue(random)));
}
