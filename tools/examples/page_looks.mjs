// Pictures of examples/browser to be looked at, and what can be measured of its looks.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from './checks.mjs';
import { withPage } from './chromium.mjs';
import { tell } from './page_controls.mjs';
import { APP } from './prepare.mjs';

/** @typedef {import('./chromium.mjs').Page} Page */

const SHOTS = join(APP, 'screenshots');
const SIZES = {
  desktop: { viewport: { width: 1280, height: 800 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2 },
  small: { viewport: { width: 360, height: 640 }, deviceScaleFactor: 2 },
};

/**
 * @param {import('./checks.mjs').Checks} checks
 * @param {string} url
 */
export async function checkLooks(checks, url) {
  mkdirSync(SHOTS, { recursive: true });
  for (const [size, look] of Object.entries(SIZES)) {
    for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
      const name = `${size}-${colorScheme}`;
      await checks.check(`page: fits, ${name}`, () =>
        withPage(url, (page) => checkLook(page, name), { ...look, colorScheme }),
      );
    }
  }
}

/**
 * @param {Page} page
 * @param {string} name
 */
async function checkLook(page, name) {
  const shoot = (/** @type {string} */ state) =>
    page.screenshot({ path: join(SHOTS, `${name}-${state}.png`), fullPage: false });
  await page.waitForFunction(() =>
    document.querySelector('#device')?.textContent?.includes('SIMD'),
  );
  await shoot('empty');
  await tell(page);
  await tell(page);
  await shoot('told');
  const [content, window] = await page.evaluate(() => {
    return [document.documentElement.scrollWidth, innerWidth];
  });
  expect(content <= window, `the page is ${content} pixels wide, the window ${window}`);
  const hidden = await page.evaluate(() => {
    return [...document.querySelectorAll('#prompt, #send')].filter((control) => {
      const { top, bottom } = control.getBoundingClientRect();
      return top < 0 || bottom > innerHeight;
    }).length;
  });
  expect(hidden === 0, `${hidden} of the controls to write with are out of sight`);
  const nameless = await page.evaluate(() => {
    return [...document.querySelectorAll('button, input, textarea')].flatMap((control) => {
      const { labels, textContent, id } = /** @type {HTMLInputElement} */ (control);
      const words = control.localName === 'button' ? textContent : labels?.[0]?.textContent;
      return words?.trim() ? [] : [id];
    });
  });
  expect(nameless.length === 0, `controls without a name: ${nameless}`);
}
