// examples/browser in Chromium: every control, with and without isolation.

import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect } from './checks.mjs';
import { withPage } from './chromium.mjs';
import { PROMPT } from './clis.mjs';
import { APP, STORIES } from './prepare.mjs';

/** @typedef {import('./chromium.mjs').Page} Page */

const SHOTS = join(APP, 'screenshots');
const LOOKS = {
  light: { viewport: { width: 1000, height: 900 } },
  dark: { viewport: { width: 1000, height: 900 }, colorScheme: /** @type {const} */ ('dark') },
  phone: { viewport: { width: 360, height: 760 }, deviceScaleFactor: 2 },
};
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
  const site = await serve({ model });
  await checks.check('page: a chosen file, a folder and a dropped file', () =>
    withPage(site.url, (page) => checkFiles(page, model, story)),
  );
  mkdirSync(SHOTS, { recursive: true });
  for (const [name, look] of Object.entries(LOOKS)) {
    await checks.check(`page: fits, ${name}`, () =>
      withPage(site.url, (page) => takePicture(page, name), look),
    );
  }
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
  await generate(page);
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
    const text = /** @type {HTMLElement} */ (document.querySelector('#text'));
    const watch = new MutationObserver(() => {
      if ((text.textContent ?? '').length < 100) return;
      watch.disconnect();
      /** @type {HTMLElement} */ (document.querySelector('#stop')).click();
    });
    watch.observe(text, { childList: true });
  });
  await fill(page);
  await page.click('#generate');
  await waitForStatus(page, 'Stopped.');
  const part = ((await page.textContent('#text')) ?? '').slice(PROMPT.length);
  expect(story.startsWith(part) && part.length < story.length, `stopped after: ${part}`);
  await generate(page);
  await expectStory(page, story);
  return `stopped after ${part.length} of ${story.length} characters`;
}

/**
 * @param {Page} page
 * @param {string} model
 * @param {string} story
 */
async function checkFiles(page, model, story) {
  const broken = { name: 'broken.safetensors', mimeType: '', buffer: Buffer.from('not a model') };
  await page.setInputFiles('#file', broken);
  await page.waitForSelector('#status.error');
  await page.setInputFiles('#file', model);
  await waitForStatus(page, 'Loaded stories15M-int4.safetensors');
  await generate(page);
  await expectStory(page, story);
  await page.setInputFiles(
    '#file',
    readdirSync(STORIES).map((name) => join(STORIES, name)),
  );
  await waitForStatus(page, 'Loaded ');
  await page.click('#unload');
  await waitForStatus(page, 'Unloaded.');
  await page.evaluate(async () => {
    const blob = await (await fetch('model.safetensors')).blob();
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([blob], 'dropped.safetensors'));
    document
      .querySelector('#drop')
      ?.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
  });
  await waitForStatus(page, 'Loaded dropped.safetensors');
  await generate(page);
  await expectStory(page, story);
}

/**
 * @param {Page} page
 * @param {string} name
 */
async function takePicture(page, name) {
  await page.screenshot({ path: join(SHOTS, `${name}-empty.png`), fullPage: true });
  await generate(page);
  await page.screenshot({ path: join(SHOTS, `${name}.png`), fullPage: true });
  const [content, window] = await page.evaluate(() => {
    return [document.documentElement.scrollWidth, innerWidth];
  });
  expect(content <= window, `the page is ${content} pixels wide, the window ${window}`);
}

/** @param {Page} page */
async function fill(page) {
  await page.fill('#prompt', PROMPT);
  await page.fill('#tokens', '100');
  await page.fill('#temperature', '0.8');
  await page.fill('#seed', '7');
}

/**
 * Tells the whole story.
 * @param {Page} page
 */
async function generate(page) {
  await fill(page);
  await page.click('#generate');
  await waitForStatus(page, '100 tokens');
}

/**
 * @param {Page} page
 * @param {string} begin
 */
async function waitForStatus(page, begin) {
  try {
    await page.waitForFunction((words) => {
      const idle = /** @type {HTMLButtonElement} */ (document.querySelector('#stop')).disabled;
      return idle && document.querySelector('#status')?.textContent?.startsWith(words);
    }, begin);
  } catch {
    throw new Error(`status: expected ${begin}, came ${await page.textContent('#status')}`);
  }
}

/**
 * @param {Page} page
 * @param {string} story
 */
async function expectStory(page, story) {
  const text = await page.textContent('#text');
  expect(text === PROMPT + story, `expected ${PROMPT + story}, came ${text}`);
}
