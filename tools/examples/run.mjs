// `npm run test:examples [cli | page | memory | edge | bundlers ...]`: every example and bundler fixture, run for
// real. Installs what npm can bring; Chromium must be there. The last line is `N passed, N failed`.

import { join } from 'node:path';
import { setUp, setUpBundlers, setUpEveryRuntime } from '../setup.mjs';
import { checkBundlers } from './bundlers.mjs';
import { Checks, expect } from './checks.mjs';
import { denoStory, nodeStory } from './clis.mjs';
import { checkEdge } from './edge.mjs';
import { checkMemory } from './memory.mjs';
import { checkPage } from './page.mjs';
import { APP, makeApp, prepareModel } from './prepare.mjs';
import { checkServer } from './server.mjs';

/** @typedef {{ model: string, story: string }} Story a model's file and what Node makes of it */

/** @type {Record<string, (checks: Checks, story: Story) => Promise<void>>} */
const PARTS = {
  cli: checkClis,
  page: checkBrowser,
  memory: checkMemory,
  edge: checkEdge,
  bundlers: checkBundlers,
};

/**
 * @param {Checks} checks
 * @param {Story} story
 */
async function checkClis(checks, { model, story }) {
  await checks.check('node.mjs tells a story', () => {
    expect(story.length > 100, `came ${JSON.stringify(story)}`);
    return `Once upon a time${story.slice(0, 60)}...`;
  });
  await checks.check('deno.ts tells the same', async () => {
    const came = await denoStory(model);
    expect(came === story, `expected ${JSON.stringify(story)}, came ${JSON.stringify(came)}`);
  });
}

/**
 * @param {Checks} checks
 * @param {Story} story
 */
async function checkBrowser(checks, story) {
  await checks.check('npm run example:browser prints its URL', checkServer);
  await checkPage(checks, story);
}

/** @param {string[]} names */
async function main(names) {
  const unknown = names.find((name) => !Object.hasOwn(PARTS, name));
  if (unknown !== undefined) {
    throw new Error(`[examples] expected ${Object.keys(PARTS).join(', ')}, came ${unknown}`);
  }
  await setUp();
  setUpEveryRuntime();
  setUpBundlers();
  const model = await prepareModel();
  await makeApp();
  const story = await nodeStory(model);
  const checks = new Checks();
  for (const [name, part] of Object.entries(PARTS)) {
    if (names.length === 0 || names.includes(name)) await part(checks, { model, story });
  }
  process.stdout.write(`screenshots: ${join(APP, 'screenshots')}\n`);
  process.stdout.write(`${checks.passed} passed, ${checks.failed} failed\n`);
  process.exitCode = checks.failed > 0 ? 1 : 0;
}

await main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
