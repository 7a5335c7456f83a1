// Debian's Chromium, driven by playwright-core.

import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { ROOT } from '../build/files.mjs';
import { expect } from './checks.mjs';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];
export const BUNDLERS = join(ROOT, 'tools', 'bundlers');
/** What a page waits for. */
const TIME_LIMIT_MS = 30_000;

/** @typedef {import('./driver.js').Page} Page */
/** @typedef {import('./driver.js').Browser} Browser */

/**
 * Opens a page, and closes all when `work` is done. A page that reports an error has failed.
 * @param {string} url
 * @param {(page: Page, browser: Browser) => Promise<string | void>} work
 * @param {import('./driver.js').Look} [look]
 * @returns {Promise<string | void>}
 */
export async function withPage(url, work, look = {}) {
  expect(existsSync(CHROMIUM), `missing: ${CHROMIUM}`);
  /** @type {{ chromium: import('./driver.js').Chromium }} */
  const { chromium } = createRequire(join(BUNDLERS, 'package.json'))('playwright-core');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  /** @type {string[]} */
  const faults = [];
  try {
    const context = await browser.newContext(look);
    context.setDefaultTimeout(TIME_LIMIT_MS);
    const page = await context.newPage();
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    await page.goto(url);
    const note = await work(page, browser);
    expect(faults.length === 0, faults.join('\n'));
    return note;
  } catch (error) {
    const { message } = /** @type {Error} */ (error);
    throw new Error([message, ...faults].join('\n'));
  } finally {
    await browser.close();
  }
}

/**
 * Bytes that the processes of all pages, workers included, hold for themselves.
 * @param {Browser} browser
 */
export async function memoryOfPages(browser) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send('SystemInfo.getProcessInfo');
  await session.detach();
  const renderers = processInfo.filter(({ type }) => type === 'renderer');
  expect(renderers.length > 0, 'no process of a page was found');
  return renderers.reduce((sum, { id }) => sum + ownMemory(id), 0);
}

/** @param {number} pid */
function ownMemory(pid) {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kilobytes = ['RssAnon', 'RssShmem'].map((name) => {
    return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1]);
  });
  return kilobytes.reduce((sum, count) => sum + count * 1024, 0);
}
