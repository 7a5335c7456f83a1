// Random walks of sessions against a model of their pages. Seeded: a walk that fails, fails again.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { CapacityError } from '../../bindings/errors.js';
import { type Executor, PAGE_SIZE } from '../../bindings/executor/executor.js';
import { createExecutor } from '../../bindings/executor/select.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { Session } from '../../bindings/session/session.js';
import { FakeExecutor, hashedLogits, ownerOf } from '../support/fake_executor.js';
import { PageWalk, type WalkOptions } from '../support/page_walk.js';
import { TestRandom } from '../support/random.js';
import { tinyCheckpoint, tinyConfig } from '../support/tiny_model.js';

/** @returns how often each outcome was seen */
async function walk(steps: number, options: WalkOptions): Promise<ReadonlyMap<string, number>> {
  const walking = new PageWalk(options);
  for (let i = 0; i < steps; i++) await walking.step();
  await walking.end();
  return walking.seen;
}

/** Walks that never come to these would test little. */
const ALWAYS = ['done', 'context full', 'aborted', 'failed', 'not finite'];
const SCARCE = [...ALWAYS, 'pool full'];
const AMPLE = [...ALWAYS, 'all at once'];

function checkSeen(seen: ReadonlyMap<string, number>, outcomes: readonly string[]): void {
  for (const outcome of outcomes) {
    assert.ok((seen.get(outcome) ?? 0) >= 3, `${outcome}: seen ${seen.get(outcome)} times`);
  }
}

const VOCABULARY = 20;

for (const [maxPages, seed, outcomes] of [
  [6, 1, SCARCE],
  [9, 2, SCARCE],
  [40, 3, AMPLE],
] as const) {
  test(`3000 steps with ${maxPages} pages`, async () => {
    const executor = new FakeExecutor({ vocabSize: VOCABULARY, maxPages });
    const seen = await walk(3000, {
      executor,
      vocabSize: VOCABULARY,
      contextLength: 150,
      maxPages,
      fresh: (tokens) => hashedLogits(tokens, VOCABULARY),
      random: new TestRandom(seed),
    });
    checkSeen(seen, outcomes);
  });
}

const MOST_TABLES = 6;

/** As many pages as fit beside the tables of the walk, which take of the same bytes. */
function countPages({ kv }: Executor, contextPages: number): number {
  const tables = Array.from({ length: MOST_TABLES }, () => kv.createTable(contextPages));
  for (const table of tables) table.dispose();
  const pages: number[] = [];
  try {
    for (;;) pages.push(kv.allocatePage());
  } catch (error) {
    assert.instance(error, CapacityError);
  }
  for (const page of pages) kv.releasePage(page);
  return pages.length;
}

const config = tinyConfig();

async function createTiny(kvCacheBytes?: number): Promise<Executor> {
  const options = { threads: 1, kvCacheBytes };
  return createExecutor(planFor(config), tinyCheckpoint(4, config), options);
}

for (const [pages, seed, outcomes] of [
  [4, 4, SCARCE],
  [20, 5, AMPLE],
] as const) {
  test(`300 steps in the WebAssembly core with ${pages} pages`, async () => {
    const { vocabSize, contextLength } = config;
    const other = await createTiny(2 ** 20);
    const owner = ownerOf(other, vocabSize);
    // Page tables take less than a page.
    const executor = await createTiny((pages + 1) * other.kv.pageBytes - 1);
    const maxPages = countPages(executor, Math.ceil(contextLength / PAGE_SIZE));
    assert.is(maxPages, pages);
    const seen = await walk(300, {
      executor,
      vocabSize,
      contextLength,
      maxPages,
      fresh: async (tokens) => {
        const session = new Session(owner, contextLength);
        const logits = await session.prefill(tokens);
        await session.dispose();
        return logits;
      },
      random: new TestRandom(seed),
    });
    checkSeen(seen, outcomes);
    await executor.dispose();
    await other.dispose();
  });
}

test.run();
