// Browsers without a driver: a page of a local server runs the suite and posts its report.

import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { APP } from './app.mjs';
import { groupBytes, start } from './processes.mjs';

const TIME_LIMIT_MS = 120_000;
const WEBKIT = '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser';

const CHROMIUM_FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-dev-shm-usage',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** @type {Readonly<Record<string, string>>} */
const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.wasm': 'application/wasm',
};

/**
 * @typedef {{ command: string, needs: string[], args: (url: string, profile: string) => string[],
 *   env?: (isolated: boolean) => NodeJS.ProcessEnv }} Browser
 * @type {Readonly<Record<'chromium' | 'firefox' | 'webkit', Browser>>}
 */
const BROWSERS = {
  chromium: {
    command: '/usr/bin/chromium',
    needs: ['/usr/bin/chromium'],
    args: (url, profile) => [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, url],
  },
  firefox: {
    command: '/usr/bin/firefox-esr',
    needs: ['/usr/bin/firefox-esr'],
    args: (url, profile) => ['--headless', '--no-remote', '--profile', profile, url],
  },
  webkit: {
    command: 'xvfb-run',
    needs: ['/usr/bin/xvfb-run', '/usr/bin/xauth', WEBKIT],
    args: (url) => ['-a', WEBKIT, '--private', url],
    // WebKitGTK has shared memory, but only on request.
    env: (isolated) => (isolated ? { JSC_useSharedArrayBuffer: '1' } : {}),
  },
};

/**
 * @param {'chromium' | 'firefox' | 'webkit'} name
 * @param {boolean} isolated whether the page may share memory with workers
 * @param {string} page
 * @returns {Promise<import('./reports.mjs').Report>}
 */
export async function runBrowser(name, isolated, page = 'suite.html') {
  const { command, needs, args, env } = BROWSERS[name];
  const missing = needs.find((path) => !existsSync(path));
  if (missing) throw new Error(`missing: ${missing}`);
  const profile = mkdtempSync(join(tmpdir(), 'halfbyte-browser-'));
  let group = 0;
  const site = await serve(isolated, () => groupBytes(group));
  const browser = start(command, args(`${site.url}/${page}`, profile), {
    env: { XDG_RUNTIME_DIR: profile, ...env?.(isolated) },
  });
  group = browser.group;
  let timer;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, TIME_LIMIT_MS, null);
  });
  try {
    const first = await Promise.race([site.report, browser.ended, late]);
    if (first && 'passed' in first) return first;
    const why = first
      ? `the browser ended with ${first.code}: ${first.stderr.slice(-800)}`
      : 'hung';
    throw new Error(`${why}; last heard of: ${site.heard.at(-1) ?? 'nothing'}`);
  } finally {
    clearTimeout(timer);
    browser.end('done');
    await browser.ended;
    await site.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

/**
 * Serves the app folder. The page posts to /report or /failed, and to /heard before each test.
 * @param {boolean} isolated
 * @param {() => number} memory what /memory answers with
 */
async function serve(isolated, memory) {
  /** @type {string[]} */
  const heard = [];
  /** @type {(report: import('./reports.mjs').Report) => void} */
  let receive = () => {};
  /** @type {(error: Error) => void} */
  let fail = () => {};
  /** @type {Promise<import('./reports.mjs').Report>} */
  const report = new Promise((resolve, reject) => {
    receive = resolve;
    fail = reject;
  });
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const path = join(APP, pathname);
    const headers = { 'Cache-Control': 'no-store', ...(isolated && ISOLATION) };
    if (request.method === 'POST') {
      let text = '';
      request.setEncoding('utf8').on('data', (part) => {
        text += part;
      });
      request.on('end', () => {
        if (pathname === '/report') receive(JSON.parse(text));
        else if (pathname === '/failed') fail(new Error(text));
        else heard.push(text);
        response.writeHead(204, headers).end();
      });
    } else if (pathname === '/memory') {
      response.writeHead(200, headers).end(`${memory()}`);
    } else if (path.startsWith(APP) && existsSync(path)) {
      const type = TYPES[extname(path)] ?? 'application/octet-stream';
      response.writeHead(200, { ...headers, 'Content-Type': type }).end(readFileSync(path));
    } else {
      response.writeHead(404, headers).end();
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const close = async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}`, heard, report, close };
}
