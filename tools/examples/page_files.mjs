// Files that are chosen and dropped: models, and what is none.

import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect } from './checks.mjs';
import {
  dragIn,
  drop,
  expectStory,
  fill,
  tell,
  transcript,
  waitForStatus,
} from './page_controls.mjs';
import { APP, CHAT_MODEL, HUGE_MODEL, STORIES } from './prepare.mjs';

/** @typedef {import('./chromium.mjs').Page} Page */

const PHOTO = [0xff, 0xd8, 0xff, 0xe0, 0, 0x10, 0x4a, 0x46, 0x49, 0x46];
const GGUF = [0x47, 0x47, 0x55, 0x46, 3, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0];

/**
 * A file and a folder, chosen and dragged in.
 * @param {Page} page
 * @param {string} model
 * @param {string} story
 */
export async function checkFiles(page, model, story) {
  await page.setInputFiles('#file', model);
  await waitForStatus(page, `Loaded ${basename(model)}`);
  await tell(page);
  await expectStory(page, story);
  await page.setInputFiles('#folder', STORIES);
  await waitForStatus(page, 'Loaded stories15M');
  await expectName(page, 'stories15M');
  await page.click('#unload');
  await waitForStatus(page, 'Unloaded.');
  await expectName(page, 'No model yet');
  await dragIn(page, model);
  await waitForStatus(page, `Loaded ${basename(model)}`);
  await tell(page);
  await expectStory(page, story);
  await dragIn(page, CHAT_MODEL);
  await waitForStatus(page, 'Loaded tiny-chat');
  await expectName(page, 'tiny-chat');
}

/**
 * What is dropped by mistake is named, and said what to drop instead.
 * @param {Page} page
 */
export async function checkOtherFiles(page) {
  await drop(page, 'photo.jpg', PHOTO);
  await waitForError(page, /photo\.jpg.*a \.safetensors file or the folder.*JPEG image/);
  await drop(page, 'llama.gguf', GGUF);
  await waitForError(page, /llama\.gguf.*the same model as \.safetensors.*GGUF/);
  await page.setInputFiles('#file', join(CHAT_MODEL, 'config.json'));
  await waitForError(page, /config\.json.*the whole folder.*JSON/);
  const folder = join(APP, 'pytorch');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), '{"model_type": "llama"}');
  writeFileSync(join(folder, 'pytorch_model.bin'), `PK\x03\x04${' '.repeat(1000)}`);
  await page.setInputFiles('#folder', folder);
  await waitForError(page, /pytorch_model\.bin.*the same model.*PyTorch/);
  await expectName(page, 'No model yet');
}

/**
 * A load that fails leaves the model and its conversation.
 * @param {Page} page
 */
export async function checkKept(page) {
  await page.setInputFiles('#folder', CHAT_MODEL);
  await waitForStatus(page, 'Loaded tiny-chat');
  const ask = async () => {
    await fill(page, 'tell me', 12);
    await page.press('#prompt', 'Enter');
    await waitForStatus(page, 'seed 7');
  };
  await ask();
  await drop(page, 'photo.jpg', PHOTO);
  await waitForError(page, /JPEG image.*tiny-chat stays loaded/);
  await expectName(page, 'tiny-chat');
  await page.setInputFiles('#folder', HUGE_MODEL);
  await waitForError(page, /Not enough memory .* beside tiny-chat, which stays loaded. Unload it/);
  await ask();
  // Without a model, asking would have loaded another.
  await expectName(page, 'tiny-chat');
  const notes = (await transcript(page)).filter(({ is }) => is === 'note');
  expect(notes.length === 0, `notes: ${JSON.stringify(notes)}`);
}

/**
 * @param {Page} page
 * @param {RegExp} pattern
 */
async function waitForError(page, pattern) {
  await page
    .waitForFunction((source) => {
      const status = document.querySelector('#status');
      return status?.className === 'error' && new RegExp(source).test(status.textContent ?? '');
    }, pattern.source)
    .catch(async () => {
      throw new Error(`expected ${pattern}, came ${await page.textContent('#status')}`);
    });
}

/**
 * @param {Page} page
 * @param {string} name
 */
async function expectName(page, name) {
  const came = await page.textContent('#model-name');
  expect(came === name, `model: expected ${name}, came ${came}`);
}
