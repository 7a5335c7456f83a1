// A session belongs to the generation that runs in it: what others may do meanwhile, and what they may not.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { complete, generate } from '../../bindings/generate.js';
import { Sampler } from '../../bindings/sampler/sampler.js';
import type { Session } from '../../bindings/session/session.js';
import { EOS, type FakeTextModel, fakeTextModel } from '../support/fake_text_model.js';
import { raises } from '../support/raises.js';

const PROMPT = [1, 30, 31];
const OPTIONS = { temperature: 0, maxTokens: 20, logitBias: { [EOS]: -100 } };

/** A model, a session, the generation that has begun in it, and the tokens it would have alone. */
async function begun() {
  const model = fakeTextModel();
  const { tokens } = await complete(model, PROMPT, OPTIONS);
  const session = await model.createSession();
  const chunks = generate(model, PROMPT, { ...OPTIONS, session });
  const first = await chunks.next();
  assert.is((first.value as { token: number }).token, tokens[0]);
  return { model, session, chunks, tokens };
}

async function rest(chunks: ReturnType<typeof generate>): Promise<readonly number[]> {
  for (;;) {
    const { done, value } = await chunks.next();
    if (done) return value.tokens;
  }
}

const changes: readonly [string, (session: Session) => Promise<unknown>][] = [
  ['truncate', (session) => session.truncate(1)],
  ['truncate to nothing', (session) => session.truncate(0)],
  ['prefill', (session) => session.prefill([5, 6])],
  ['decode', (session) => session.decode(5)],
  ['sample', (session) => session.sample([5], new Sampler())],
  ['logProbs', (session) => session.logProbs([5])],
];

for (const [name, change] of changes) {
  test(`${name}: refused between tokens and beside one, and free again afterwards`, async () => {
    const { session, chunks, tokens } = await begun();
    await raises(() => change(session), 'OPTION', ['[session]', 'generation', 'fork']);
    const next = chunks.next();
    await raises(() => change(session), 'OPTION', ['[session]', 'generation', 'fork']);
    await next;
    assert.equal(await rest(chunks), tokens);
    await change(session);
  });
}

test('a generation that is left, fails or is aborted lets go of the session', async () => {
  const left = await begun();
  await left.chunks.return(undefined as never);
  await left.session.truncate(0);

  const failed = await begun();
  failed.model.executor.onRun = () => {
    throw new Error('broken');
  };
  assert.is((await failed.chunks.next().catch((error) => error)).message, 'broken');
  await failed.session.truncate(0);

  const model = fakeTextModel();
  const session = await model.createSession();
  const stop = new AbortController();
  const chunks = generate(model, PROMPT, { ...OPTIONS, session, signal: stop.signal });
  await chunks.next();
  stop.abort('enough');
  assert.is(await chunks.next().catch((error) => error), 'enough');
  await session.truncate(0);
});

test('a fork may be taken meanwhile: it has the tokens of that time, and both go on', async () => {
  const { model, session, chunks, tokens } = await begun();
  const next = chunks.next();
  const fork = await session.fork();
  await next;
  const held = [...PROMPT, tokens[0]];
  assert.equal(fork.tokens, held);
  await fork.truncate(2);
  assert.equal((await complete(model, PROMPT, { ...OPTIONS, session: fork })).tokens, tokens);
  assert.equal(await rest(chunks), tokens);
});

test('dispose ends the generation', async () => {
  const { model, session, chunks } = await begun();
  const next = raises(() => chunks.next(), 'DISPOSED', ['session']);
  await session.dispose();
  await next;
  assert.is(model.executor.kv.pages.size, 0);
});

test('a generation that nobody goes on with gives way to the next one', async () => {
  const { model, session, chunks, tokens } = await begun();
  const other = [1, 40, 41];
  const alone = await complete(model, other, OPTIONS);
  assert.equal((await complete(model, other, { ...OPTIONS, session })).tokens, alone.tokens);
  await raises(() => chunks.next(), 'OPTION', ['session', 'another generation']);
  // Its end changes nothing for those that follow.
  assert.equal((await complete(model, PROMPT, { ...OPTIONS, session })).tokens, tokens);
});

test('what was asked before the generation is done before it, and the prefix found after that', async () => {
  const model: FakeTextModel = fakeTextModel();
  const session = await model.createSession();
  await session.prefill(PROMPT);
  const { tokens } = await complete(model, PROMPT, OPTIONS);
  const earlier = [session.truncate(0), session.prefill([9, 8, 7, 6])];
  const generated = await complete(model, PROMPT, { ...OPTIONS, session });
  await Promise.all(earlier);
  assert.equal(generated.tokens, tokens);
});

test.run();
