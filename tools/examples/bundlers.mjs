// examples/bundlers: each is built, and its page run in Chromium.

import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ROOT } from '../build/files.mjs';
import { run } from '../everywhere/processes.mjs';
import { expect } from './checks.mjs';
import { BUNDLERS, withPage } from './chromium.mjs';
import { expectThreads, serve } from './page.mjs';
import { APP, TINY_MODEL } from './prepare.mjs';

const TIME_LIMIT_MS = 120_000;
const VITE = join(BUNDLERS, 'node_modules/vite/dist/node/index.js');
const load = createRequire(join(BUNDLERS, 'package.json'));

/** @type {Record<'vite' | 'webpack' | 'esbuild', (folder: string) => Promise<void>>} */
const BUILDS = {
  vite: (folder) => runNode(folder, [join(BUNDLERS, 'node_modules/vite/bin/vite.js'), 'build']),
  webpack: async (folder) => {
    const config = (await import(pathToFileURL(join(folder, 'webpack.config.js')).href)).default;
    const webpack = load('webpack');
    await new Promise((resolve, reject) => {
      webpack(
        { context: folder, ...config },
        (/** @type {any} */ error, /** @type {any} */ stats) => {
          if (error) reject(error);
          else if (stats.hasErrors()) reject(new Error(stats.toString('errors-only')));
          else resolve(undefined);
        },
      );
    });
    cpSync(join(folder, 'index.html'), join(folder, 'dist', 'index.html'));
  },
  esbuild: async (folder) => {
    await runNode(folder, ['build.js']);
    cpSync(join(folder, 'index.html'), join(folder, 'dist', 'index.html'));
  },
};

/**
 * @param {import('./checks.mjs').Checks} checks
 */
export async function checkBundlers(checks) {
  const text = await tinyText();
  for (const [name, build] of Object.entries(BUILDS)) {
    const folder = join(APP, 'bundlers', name);
    await checks.check(`${name}: builds`, () => build(folder));
    for (const isolated of [true, false]) {
      const site = await serve({ model: TINY_MODEL, isolated, page: join(folder, 'dist') });
      await checks.check(`${name}: runs in Chromium${isolated ? ', isolated' : ''}`, () =>
        withPage(site.url, (page) => checkFixture(page, isolated, text)),
      );
      await site.close();
    }
  }
  await checks.check('vite: its development server', () => checkDevServer(text));
}

/**
 * The page as vite serves it while it is being written, without a build.
 * @param {string} text
 */
async function checkDevServer(text) {
  const folder = join(APP, 'bundlers', 'vite');
  mkdirSync(join(folder, 'public'), { recursive: true });
  cpSync(TINY_MODEL, join(folder, 'public', 'model.safetensors'));
  const { createServer } = await import(pathToFileURL(VITE).href);
  const server = await createServer({ root: folder, logLevel: 'error', server: { port: 5199 } });
  await server.listen();
  try {
    return await withPage(server.resolvedUrls.local[0], (page) => checkFixture(page, false, text));
  } finally {
    await server.close();
  }
}

/** What the fixtures must show, from Node. */
async function tinyText() {
  const { loadModel } = await import(pathToFileURL(join(ROOT, 'build/bindings/index.js')).href);
  const model = await loadModel(TINY_MODEL);
  const { text } = await model.complete('Once upon a time', { maxTokens: 40, temperature: 0 });
  await model.dispose();
  return text;
}

/**
 * @param {import('./chromium.mjs').Page} page
 * @param {boolean} isolated
 * @param {string} text
 */
async function checkFixture(page, isolated, text) {
  await page.waitForFunction(() => document.querySelector('#text')?.textContent);
  const came = await page.textContent('#text');
  expect(came === text, `expected ${JSON.stringify(text)}, came ${JSON.stringify(came)}`);
  const runtime = (await page.textContent('#runtime')) ?? '';
  await expectThreads(page, isolated, Number(/\d+/.exec(runtime)?.[0]));
  return runtime;
}

/**
 * @param {string} cwd
 * @param {string[]} args
 */
async function runNode(cwd, args) {
  const { code, stdout, stderr } = await run(process.execPath, args, { cwd, ms: TIME_LIMIT_MS });
  expect(code === 0, `ended with ${code}: ${stdout.slice(-500)}${stderr.slice(-2000)}`);
}
