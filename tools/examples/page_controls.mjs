// The controls of examples/browser, as a reader uses them.

import { expect } from './checks.mjs';
import { PROMPT } from './clis.mjs';

/** @typedef {import('./chromium.mjs').Page} Page */

/**
 * Asks with the settings that every check uses.
 * @param {Page} page
 * @param {string} prompt
 * @param {number} tokens
 */
export async function fill(page, prompt, tokens) {
  const open = await page.evaluate(() => document.querySelector('#settings')?.checkVisibility());
  if (!open) await page.click('#open');
  await page.fill('#prompt', prompt);
  await page.fill('#tokens', `${tokens}`);
  await page.fill('#temperature', '0.8');
  await page.fill('#seed', '7');
}

/**
 * Tells the whole story.
 * @param {Page} page
 */
export async function tell(page) {
  await fill(page, PROMPT, 100);
  await page.click('#send');
  await waitForStatus(page, '100 tokens');
}

/**
 * @param {Page} page
 * @param {string} part of the words, once nothing is under way
 */
export async function waitForStatus(page, part) {
  try {
    await page.waitForFunction((words) => {
      const idle = /** @type {HTMLElement} */ (document.querySelector('#stop')).hidden;
      return idle && document.querySelector('#status')?.textContent?.includes(words);
    }, part);
  } catch {
    throw new Error(`status: expected ${part}, came ${await page.textContent('#status')}`);
  }
}

/**
 * Questions and answers, and the notes between them, from top to bottom.
 * @param {Page} page
 */
export function transcript(page) {
  return page.evaluate(() => {
    const parts = document.querySelectorAll('#transcript :is(.question, .answer, .note)');
    return [...parts].map(({ className, textContent }) => ({ is: className, text: textContent }));
  });
}

/**
 * The last answer is this story.
 * @param {Page} page
 * @param {string} story
 */
export async function expectStory(page, story) {
  const [question, answer] = (await transcript(page)).filter(({ is }) => is !== 'note').slice(-2);
  const came = JSON.stringify([question, answer]);
  expect(
    question?.is === 'question' && question.text === PROMPT,
    `expected a question, came ${came}`,
  );
  expect(answer?.is === 'answer' && answer.text === story, `expected ${story}, came ${came}`);
}

/**
 * Drops a file that begins with these bytes.
 * @param {Page} page
 * @param {string} name
 * @param {number[]} begin
 */
export function drop(page, name, begin) {
  return page.evaluate(
    ({ name, begin }) => {
      const bytes = new Uint8Array(4096);
      bytes.set(begin);
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([bytes], name));
      document.body.dispatchEvent(
        new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }),
      );
    },
    { name, begin },
  );
}

/**
 * Drags a file or a folder from outside the browser into the page.
 * @param {Page} page
 * @param {string} path
 */
export async function dragIn(page, path) {
  const session = await page.context().newCDPSession(page);
  const at = { x: 200, y: 120, data: { items: [], files: [path], dragOperationsMask: 1 } };
  for (const type of ['dragEnter', 'dragOver', 'drop']) {
    await session.send('Input.dispatchDragEvent', { type, ...at });
  }
  await session.detach();
}
