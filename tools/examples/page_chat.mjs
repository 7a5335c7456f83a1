// A conversation in examples/browser: the keys, what is sent, what is forgotten.

import { expect } from './checks.mjs';
import { fill, transcript, waitForStatus } from './page_controls.mjs';
import { CHAT_MODEL } from './prepare.mjs';

/** @typedef {import('./chromium.mjs').Page} Page */

const LIBRARY = '../../build/bindings/index.js';
const [FIRST, SECOND] = ['who is there', 'and what then'];
/** Fewer than the context has left for an answer to a short question. */
const TOKENS = 20;
const QUESTIONS = 6;
const OPTIONS = { maxTokens: TOKENS, temperature: 0.8, seed: 7 };

/**
 * Shift+Enter begins a line, Enter sends, unless a setting is refused, which is shown then.
 * @param {Page} page
 */
export async function checkKeys(page) {
  await loadChat(page);
  await fill(page, 'one', TOKENS);
  await page.press('#prompt', 'Shift+Enter');
  expect((await page.inputValue('#prompt')) === 'one\n', 'Shift+Enter began no line');
  expect((await transcript(page)).length === 0, 'Shift+Enter sent');
  await page.press('#prompt', 'b');
  await page.press('#prompt', 'Enter');
  await waitForStatus(page, 'seed 7');
  const [question] = await transcript(page);
  expect(question?.text === 'one\nb', `question: ${JSON.stringify(question)}`);
  expect((await page.inputValue('#prompt')) === '', 'the prompt is still there');
  const busy = await page.evaluate(() => {
    return document.querySelector('#transcript')?.getAttribute('aria-busy');
  });
  expect(busy === 'false', `aria-busy of a conversation at rest: ${busy}`);
  await page.fill('#prompt', 'two');
  await page.click('#send');
  await waitForStatus(page, 'seed 7');
  const focus = await page.evaluate(() => document.activeElement?.id);
  expect(focus === 'prompt', `the focus is on ${focus}`);
  await page.fill('#tokens', '');
  await page.click('#open');
  await page.press('#prompt', 'c');
  await page.press('#prompt', 'Enter');
  const shown = await page.evaluate(() => document.querySelector('#tokens')?.checkVisibility());
  expect(shown, 'the setting that is refused is hidden');
}

/**
 * The model is told what was said before: it answers as in Node, where the messages are given.
 * @param {Page} page
 */
export async function checkHistory(page) {
  const { loadModel } = await import(LIBRARY);
  const model = await loadModel(CHAT_MODEL);
  const [ask, ...more] = [FIRST, SECOND].map((content) => ({ role: 'user', content }));
  const { text } = await model.complete([ask], OPTIONS);
  const told = await model.complete([ask, { role: 'assistant', content: text }, ...more], OPTIONS);
  const untold = await model.complete(more, OPTIONS);
  await model.dispose();
  expect(told.text !== untold.text, 'the history changes nothing');

  await loadChat(page);
  await send(page, FIRST);
  await send(page, SECOND);
  const came = await transcript(page);
  const expected = [
    { is: 'question', text: FIRST },
    { is: 'answer', text },
    { is: 'question', text: SECOND },
    { is: 'answer', text: told.text },
  ];
  expect(
    JSON.stringify(came) === JSON.stringify(expected),
    `expected ${JSON.stringify(expected)}, came ${JSON.stringify(came)}`,
  );
  await page.click('#new');
  await send(page, SECOND);
  const [, alone] = await transcript(page);
  expect(alone?.text === untold.text, `a new chat: expected ${untold.text}, came ${alone?.text}`);
}

/**
 * A conversation goes on when its context is full; one question that is too long is refused.
 * @param {Page} page
 */
export async function checkOverflow(page) {
  await loadChat(page);
  for (let i = 0; i < QUESTIONS; i++) {
    await send(page, FIRST);
    const status = await page.textContent('#status');
    expect(!status?.includes('full'), `an answer was cut off: ${status}`);
  }
  const gone = await countForgotten(page);
  const notes = (await transcript(page)).filter(({ is }) => is === 'note');
  expect(gone > 0 && gone < QUESTIONS, `${gone} of ${QUESTIONS} were forgotten`);
  const came = JSON.stringify(notes);
  expect(notes.length === 1 && notes[0]?.text?.includes('context is full'), `notes: ${came}`);

  await fill(page, 'zq '.repeat(400), TOKENS);
  await page.press('#prompt', 'Enter');
  await waitForStatus(page, 'too long for the context of 256 tokens');
  expect((await page.inputValue('#prompt')).startsWith('zq'), 'the question was lost');
  expect((await countForgotten(page)) === gone, 'a refused question has made others forgotten');

  await page.click('#new');
  await send(page, FIRST);
  await send(page, FIRST);
  // Alone it fits, with what was said before it does not.
  await send(page, 'zq '.repeat(50));
  expect((await countForgotten(page)) > 0, 'a long question made nothing forgotten');
  return `${gone} of ${QUESTIONS} exchanges made room`;
}

/** @param {Page} page */
function countForgotten(page) {
  return page.evaluate(() => document.querySelectorAll('.forgotten').length);
}

/** @param {Page} page */
async function loadChat(page) {
  await page.setInputFiles('#folder', CHAT_MODEL);
  await waitForStatus(page, 'Loaded tiny-chat');
}

/**
 * @param {Page} page
 * @param {string} question
 */
async function send(page, question) {
  await fill(page, question, TOKENS);
  await page.press('#prompt', 'Enter');
  await waitForStatus(page, 'seed 7');
}
