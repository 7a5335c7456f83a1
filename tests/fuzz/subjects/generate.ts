// What a caller gives to a good model: prompts of any kind, options of the sampler, of a session and of a load.

import {
  type GenerateOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type ModelLocation,
  type Prompt,
  type Session,
  type SessionOptions,
} from '../../../bindings/index.js';
import { anyText } from '../byte_damage.js';
import { draftFiles, makeDraft } from '../draft.js';
import { hostileValue } from '../json_damage.js';
import { type Damage, oneIn, pick, subject } from '../subject.js';
import { Finding, judge, refused, type Verdict } from '../verdict.js';
import type { TestRandom } from '../../support/random.js';

type Json = Record<string, unknown>;

interface Call {
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

const DAMAGES: readonly Damage<Call>[] = [
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

/** A few calls on one session and their sum: what is held is what was fed. */
async function run({ model, load, session, options, prompts }: Call, random: TestRandom) {
  return judge(async () => {
    const loaded = await loadModel(model, { threads: 1, ...load } as LoadOptions);
    try {
      await speak(loaded, session, options, prompts, random);
      if (loaded.kvBytesInUse !== 0)
        throw new Finding('pages', `${loaded.kvBytesInUse} bytes held`);
    } finally {
      await loaded.dispose();
    }
  });
}

async function speak(
  model: Model,
  sessionOptions: Json,
  options: Json,
  prompts: readonly unknown[],
  random: TestRandom,
): Promise<void> {
  const session = await model.createSession(sessionOptions as SessionOptions);
  try {
    let last: unknown = null;
    for (const prompt of prompts) {
      last = null;
      try {
        await generateIn(model, session, prompt, options);
      } catch (error) {
        // The others are to be tried all the same.
        refused(error);
        last = error;
      }
    }
    await sessionSteps(session, random);
    if (last !== null) throw last;
  } finally {
    await session.dispose();
  }
}

async function generateIn(
  model: Model,
  session: Session,
  prompt: unknown,
  given: Json,
): Promise<void> {
  const options = { maxTokens: 5, ...given, session } as GenerateOptions;
  const result = await model.complete(prompt as Prompt, options);
  const most = Math.min(options.maxTokens ?? Number.POSITIVE_INFINITY, session.contextLength + 1);
  if (result.tokens.length > most) {
    throw new Finding('budget', `${result.tokens.length} tokens of at most ${most}`);
  }
  const fed = [...result.promptTokens, ...result.tokens].slice(0, session.length);
  if (fed.join() !== session.tokens.join()) {
    throw new Finding('session', `${fed} were fed, ${session.tokens} are held`);
  }
}

/** Fork and truncate leave logits as they were. */
async function sessionSteps(session: Session, random: TestRandom): Promise<void> {
  if (session.length === 0 || session.length === session.contextLength) return;
  const fork = await session.fork();
  const expected = await fork.decode(3);
  await fork.dispose();
  const held = session.tokens.slice();
  const keep = random.below(held.length + 1);
  await session.truncate(keep);
  const actual = await session.prefill([...held.slice(keep), 3]);
  const at = actual.findIndex((value, i) => !Object.is(value, expected[i]));
  if (at < 0) return;
  throw new Finding(
    'other bits',
    `after truncate: logit ${at} is ${actual[at]}, was ${expected[at]}`,
  );
}

function show({ load, session, options, prompts }: Call): string {
  const text = (_key: string, value: unknown) =>
    ['number', 'bigint', 'symbol', 'function', 'undefined'].includes(typeof value)
      ? String(value)
      : value;
  return JSON.stringify({ load, session, options, prompts }, text).slice(0, 20_000);
}

export const generate = subject<Call>({
  kind: 'generate',
  share: 5,
  damages: DAMAGES,
  make(random) {
    const template = '{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}';
    const draft = { ...makeDraft(random), chatTemplate: template };
    const prompts = [anyText(random, 1).slice(0, 10), [1, 5 + random.below(290)]];
    return { model: draftFiles(draft), load: {}, session: {}, options: {}, prompts };
  },
  async run(call, random, spoiled): Promise<Verdict> {
    const verdict = await run(call, random);
    if (spoiled || verdict === 'accepted') return verdict;
    throw new Finding('refused', 'a valid call was refused');
  },
  show,
});
