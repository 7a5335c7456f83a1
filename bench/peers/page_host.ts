// A peer in a page of a Chromium of its own, driven by playwright-core, which is installed beside the peers.

import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { Host } from './host.js';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-dev-shm-usage'];

/** What is used of playwright-core. */
interface Playwright {
  readonly chromium: {
    launch(options: { executablePath: string; args: string[] }): Promise<Browser>;
  };
}

interface Browser {
  version(): string;
  newPage(): Promise<Page>;
  close(): Promise<void>;
}

interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<A, T>(work: (argument: A) => T | Promise<T>, argument: A): Promise<T>;
}

/** Why no page can be opened here; null if one can. */
export function chromiumRefusal(): string | null {
  return existsSync(CHROMIUM) ? null : `${CHROMIUM} is missing; Debian's package is chromium`;
}

/** @param packages the node_modules that playwright-core is in */
async function launch(packages: string): Promise<Browser> {
  const playwright: Playwright = createRequire(join(packages, 'package.json'))('playwright-core');
  return playwright.chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
}

export async function chromiumVersion(packages: string): Promise<string> {
  const browser = await launch(packages);
  const version = browser.version();
  await browser.close();
  return version;
}

/** Opens a page at `url` in which `module` loads with `options`. @throws what loading throws */
export async function startPage(
  packages: string,
  url: string,
  module: string,
  options: object,
): Promise<Host> {
  const browser = await launch(packages);
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.evaluate(loadPeer, { module, options });
    return {
      call: async <T>(method: string, ...args: unknown[]) =>
        (await page.evaluate(callPeer, { method, args })) as T,
      close: () => browser.close(),
    };
  } catch (error) {
    await browser.close();
    throw error;
  }
}

type PeerPage = typeof globalThis & { peer: Record<string, unknown> };

// These two run in the page and see nothing of this file.

async function loadPeer({ module, options }: { module: string; options: object }): Promise<void> {
  if (!crossOriginIsolated) throw new Error('the page is not isolated: it cannot have threads');
  const { load } = await import(module);
  (globalThis as PeerPage).peer = await load(options);
}

async function callPeer({ method, args }: { method: string; args: unknown[] }): Promise<unknown> {
  const { peer } = globalThis as PeerPage;
  const member = peer[method];
  return typeof member === 'function' ? member(...args) : member;
}
