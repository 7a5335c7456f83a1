// `model.dispose()` in Chromium: the process of the page takes no more than before.

import { expect } from './checks.mjs';
import { memoryOfPages, withPage } from './chromium.mjs';
import { serve } from './page.mjs';
import { STORIES } from './prepare.mjs';

const ROUNDS = 4;
/** Of what one model took, this part may stay after all rounds: the browser keeps pages back for a while. */
const MOST_KEPT = 1 / 3;
/** Memory that has not fallen for so long falls no more. */
const SETTLED_MS = 3000;

/**
 * @param {import('./checks.mjs').Checks} checks
 */
export async function checkMemory(checks) {
  for (const isolated of [true, false]) {
    const site = await serve({ isolated, folders: { stories15M: STORIES } });
    await checks.check(`dispose returns the memory${isolated ? ', isolated' : ''}`, () =>
      withPage(site.url, measure),
    );
    await site.close();
  }
}

/**
 * @param {import('./chromium.mjs').Page} page
 * @param {import('./chromium.mjs').Browser} browser
 */
async function measure(page, browser) {
  // What the first model brings, compiled code among it, stays.
  await load(page);
  await dispose(page);
  const before = await settled(page, browser);
  let taken = 0;
  for (let i = 0; i < ROUNDS; i++) {
    const weights = await load(page);
    taken = (await memoryOfPages(browser)) - before;
    expect(taken > weights, `${taken} bytes were taken, ${weights} are weights`);
    await dispose(page);
  }
  const after = await settled(page, browser);
  const kept = after - before;
  const words = `${megabytes(taken)} taken, ${megabytes(kept)} kept after ${ROUNDS} models`;
  expect(kept <= MOST_KEPT * taken, words);
  return words;
}

/**
 * A model in float16 that has told a story.
 * @param {import('./chromium.mjs').Page} page
 * @returns {Promise<number>} bytes of its weights
 */
function load(page) {
  return page.evaluate(async () => {
    const name = 'halfbyte';
    const { loadModel } = await import(name);
    const model = await loadModel('stories15M');
    await model.complete('Once upon a time', { maxTokens: 8 });
    Object.assign(globalThis, { model });
    return model.memory.weights;
  });
}

/** @param {import('./chromium.mjs').Page} page */
function dispose(page) {
  return page.evaluate(async () => {
    const scope = /** @type {any} */ (globalThis);
    await scope.model.dispose();
    scope.model = null;
  });
}

/**
 * Memory when it falls no more.
 * @param {import('./chromium.mjs').Page} page
 * @param {import('./chromium.mjs').Browser} browser
 */
async function settled(page, browser) {
  const session = await page.context().newCDPSession(page);
  let least = Number.POSITIVE_INFINITY;
  for (let fell = performance.now(); performance.now() - fell < SETTLED_MS; ) {
    await session.send('HeapProfiler.collectGarbage');
    await new Promise((resolve) => setTimeout(resolve, 200));
    const now = await memoryOfPages(browser);
    if (now >= least - 1e6) continue;
    least = now;
    fell = performance.now();
  }
  await session.detach();
  return least;
}

/** @param {number} bytes */
function megabytes(bytes) {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
