// examples/browser in Chromium: every control, with and without isolation.

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from './checks.mjs';
import { withPage } from './chromium.mjs';
import { PROMPT } from './clis.mjs';
import { checkHistory, checkKeys, checkOverflow } from './page_chat.mjs';
import { expectStory, fill, tell, transcript, waitForStatus } from './page_controls.mjs';
import { checkFiles, checkKept, checkOtherFiles } from './page_files.mjs';
import { checkLooks } from './page_looks.mjs';
import { APP, makeChatModel, makeHugeModel } from './prepare.mjs';

/** @typedef {import('./chromium.mjs').Page} Page */

/** Between two ticks of the page's timer; a machine that does other things too needs some. */
const LONGEST_PAUSE_MS = 250;

/**
 * The server of the example.
 * @param {object} options of its `serve`
 */
export async function serve(options) {
  const script = pathToFileURL(join(APP, 'browser', 'serve.mjs')).href;
  return (await import(script)).serve(options);
}

/**
 * @param {import('./checks.mjs').Checks} checks
 * @param {{ model: string, story: string }} options story: what Node makes of the same prompt
 */
export async function checkPage(checks, { model, story }) {
  for (const isolated of [true, false]) {
    const site = await serve({ model, isolated });
    const name = isolated ? 'page, isolated' : 'page';
    await checks.check(`${name}: generates while its timer ticks`, () =>
      withPage(site.url, (page) => checkGenerating(page, isolated, story)),
    );
    await checks.check(`${name}: stop ends a load and a story`, () =>
      withPage(site.url, (page) => checkStop(page, story)),
    );
    await site.close();
  }
  await makeChatModel();
  await makeHugeModel();
  const site = await serve({ model });
  /** @type {Record<string, (page: Page) => Promise<string | void>>} */
  const works = {
    'files and folders, chosen and dropped': (page) => checkFiles(page, model, story),
    'a photo, a GGUF and other files are named': checkOtherFiles,
    'a load that fails keeps the model': checkKept,
    'Enter sends, Shift+Enter begins a line': checkKeys,
    'a chat model knows what was said': checkHistory,
    'a full context makes room': checkOverflow,
  };
  for (const [name, work] of Object.entries(works)) {
    await checks.check(`page: ${name}`, () => withPage(site.url, work));
  }
  await checkLooks(checks, site.url);
  await site.close();
}

/**
 * @param {Page} page
 * @param {boolean} isolated
 * @param {string} story
 */
async function checkGenerating(page, isolated, story) {
  await page.evaluate(() => {
    let last = performance.now();
    const ticks = { count: 0, longest: 0, started: last };
    Object.assign(globalThis, { ticks });
    setInterval(() => {
      const now = performance.now();
      ticks.longest = Math.max(ticks.longest, now - last);
      ticks.count++;
      last = now;
    }, 5);
  });
  await tell(page);
  const { count, longest, ms } = await page.evaluate(() => {
    const { ticks } = /** @type {any} */ (globalThis);
    return { ...ticks, ms: performance.now() - ticks.started };
  });
  await expectStory(page, story);
  const device = (await page.textContent('#device')) ?? '';
  await expectThreads(page, isolated, Number(/(\d+) thread/.exec(device)?.[1]));
  const reasons = await page.textContent('#reasons');
  expect(isolated || reasons?.includes('not cross-origin isolated'), `reasons: ${reasons}`);
  expect(longest < LONGEST_PAUSE_MS, `the timer paused for ${longest} ms`);
  expect(count > ms / 25, `${count} ticks in ${ms} ms`);
  const [speed, memory] = [await page.textContent('#speed'), await page.textContent('#memory')];
  expect(/^[1-9]\d* tokens\/s$/.test(speed ?? ''), `speed: ${speed}`);
  expect(/^\d+\.\d MB: \d+\.\d weights/.test(memory ?? ''), `memory: ${memory}`);
  return `${device}; ${speed}; ${count} ticks in ${ms.toFixed(0)} ms, ${longest.toFixed(0)} ms apart at most`;
}

/**
 * More than one thread where the page is isolated, and there are processors for it.
 * @param {Page} page
 * @param {boolean} isolated
 * @param {number} threads
 */
export async function expectThreads(page, isolated, threads) {
  const processors = await page.evaluate(() => navigator.hardwareConcurrency);
  const expected = isolated && processors > 1 ? threads > 1 : threads === 1;
  expect(expected, `came ${threads} threads on ${processors} processors`);
}

/**
 * @param {Page} page
 * @param {string} story
 */
async function checkStop(page, story) {
  await page.evaluate(() => {
    /** @type {HTMLElement} */ (document.querySelector('#bundled')).click();
    /** @type {HTMLElement} */ (document.querySelector('#stop')).click();
  });
  await waitForStatus(page, 'Stopped.');
  await page.click('#bundled');
  await waitForStatus(page, 'Loaded stories15M');
  // A click through the protocol may come when the story is told already.
  await page.evaluate(() => {
    const log = /** @type {HTMLElement} */ (document.querySelector('#transcript'));
    const watch = new MutationObserver(() => {
      if ((log.querySelector('.answer')?.textContent ?? '').length < 100) return;
      watch.disconnect();
      /** @type {HTMLElement} */ (document.querySelector('#stop')).click();
    });
    watch.observe(log, { childList: true, subtree: true });
  });
  await fill(page, PROMPT, 100);
  await page.click('#send');
  await waitForStatus(page, 'Stopped.');
  const part = (await transcript(page)).at(-1)?.text ?? '';
  expect(story.startsWith(part) && part.length < story.length, `stopped after: ${part}`);
  await tell(page);
  await expectStory(page, story);
  return `stopped after ${part.length} of ${story.length} characters`;
}
