// What a caller gives to a good model: prompts of any kind, options of the sampler, of a session and of a load.

import {
  type GenerateOptions,
  type LoadOptions,
  loadModel,
  type Model,
  type Prompt,
  type Session,
  type SessionOptions,
} from '../../../bindings/index.js';
import type { TestRandom } from '../../support/random.js';
import { anyText } from '../byte_damage.js';
import { CALL_DAMAGES, type Call } from '../call_damage.js';
import { draftFiles, makeDraft } from '../draft.js';
import { subject } from '../subject.js';
import { Finding, judge, refused, type Verdict } from '../verdict.js';

type Json = Record<string, unknown>;

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
  damages: CALL_DAMAGES,
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
