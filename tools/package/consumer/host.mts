// Types of the package, for a program that has those of its surroundings too: they are the same.

import { type FetchLike, loadModel } from 'halfbyte';

const withCookies: FetchLike = (url, init) => fetch(url, { ...init, credentials: 'include' });

export async function use(blob: Blob, module: WebAssemblyModule): Promise<void> {
  const { signal } = new AbortController();
  await loadModel(new URL('https://models.test/tiny/'), { signal, fetch });
  await loadModel(blob, { fetch: withCookies, core: { wasm: module } });
  await loadModel({ 'config.json': blob, 'model.safetensors': new Uint8Array(8) });
  // @ts-expect-error: a signal is no text
  await loadModel('tiny', { signal: 'now' });
  // @ts-expect-error: a response is no text
  await loadModel('tiny', { fetch: async () => 'body' });
  // @ts-expect-error: a date is no place
  await loadModel(new Date());
}

type WebAssemblyModule = typeof globalThis extends {
  WebAssembly: { Module: { prototype: infer Module } };
}
  ? Module
  : Uint8Array;
