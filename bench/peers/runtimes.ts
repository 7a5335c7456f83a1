// The runtimes that are compared, and how each is started.

import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Host } from './host.js';
import type { PeerOptions } from './model_peer.js';
import { GGUF_FILE } from './models.js';
import { startPage } from './page_host.js';
import { startProcess } from './process_host.js';

export type Place = 'Node' | 'Chromium';

export interface Runtime {
  readonly name: string;
  /** Folder in node_modules; null: halfbyte itself. */
  readonly installed: string | null;
  /** The adapter beside this file. */
  readonly adapter: string;
  /** Its main module, from its folder; halfbyte's from build/. */
  readonly entry: Readonly<Partial<Record<Place, string>>>;
  /** WebAssembly modules that it has to be told of, from its folder. */
  readonly assets: Readonly<Record<string, string>>;
}

export const HALFBYTE: Runtime = {
  name: 'halfbyte',
  installed: null,
  adapter: 'halfbyte.js',
  entry: { Node: 'bindings/index.js', Chromium: 'browser/index.js' },
  assets: {},
};

export const NODE_LLAMA_CPP: Runtime = {
  name: 'node-llama-cpp',
  installed: 'node-llama-cpp',
  adapter: 'node_llama_cpp.js',
  entry: { Node: 'dist/index.js' },
  assets: {},
};

export const WLLAMA_2: Runtime = {
  name: 'wllama 2',
  installed: 'wllama-2',
  adapter: 'wllama_2.js',
  entry: { Chromium: 'esm/index.js' },
  assets: {
    'single-thread/wllama.wasm': 'esm/single-thread/wllama.wasm',
    'multi-thread/wllama.wasm': 'esm/multi-thread/wllama.wasm',
  },
};

export const WLLAMA_3: Runtime = {
  name: 'wllama 3',
  installed: 'wllama-3',
  adapter: 'wllama_3.js',
  entry: { Chromium: 'esm/index.js' },
  assets: { default: 'esm/wasm/wllama.wasm' },
};

/** Where everything lies; `url` serves build/, packages/ and models/. */
export interface Site {
  readonly url: string;
  readonly build: string;
  readonly packages: string;
  readonly models: string;
}

/** @param model directory of the checkpoint */
export function startRuntime(
  { installed, adapter, entry, assets }: Runtime,
  place: Place,
  model: string,
  threads: number,
  site: Site,
): Promise<Host> {
  const isPage = place === 'Chromium';
  const folder = (name: 'build' | 'packages' | 'models') =>
    isPage ? `${site.url}/${name}` : pathToFileURL(site[name]).href;
  const own = installed === null ? folder('build') : `${folder('packages')}/${installed}`;
  const directory = `${isPage ? `${folder('models')}/${basename(model)}` : model}/`;
  const options: PeerOptions = {
    entry: `${own}/${entry[place]}`,
    model: installed === null ? directory : `${directory}${GGUF_FILE}`,
    threads,
    assets: Object.fromEntries(
      Object.entries(assets).map(([key, path]) => [key, `${own}/${path}`]),
    ),
  };
  const module = `${folder('build')}/bench/peers/${adapter}`;
  return isPage
    ? startPage(site.packages, site.url, module, options)
    : startProcess(module, options);
}

/** Version of an installed package. */
export function installedVersion(packages: string, name: string): string {
  return JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8')).version;
}
