// Types of the package in CommonJS, for a program that has no types but ECMAScript's.

import { type LoadOptions, loadModel, Model, OptionError, type Session } from 'halfbyte';
import { type CompressOptions, compressModel } from 'halfbyte/compress';
import core from 'halfbyte/core.simd.wasm';
import { loadModel as loadInline } from 'halfbyte/inline';

export type Worker = typeof import('halfbyte/worker');

export const options: LoadOptions = {
  threads: 'auto',
  core: { wasm: { simd: core }, worker: 'worker.js' },
  fetch: async (_url, init) => {
    throw new OptionError(`${init?.method} ${init?.headers?.['range']} ${init?.signal?.aborted}`);
  },
};

// @ts-expect-error: a number is no name of a count
export const wrong: LoadOptions = { threads: 'two' };

export async function use(): Promise<Session> {
  const compress: CompressOptions = { scheme: 'int4' };
  const { path } = await compressModel('model', 'out', compress);
  const inlined: Model = await loadInline(new Uint8Array(8));
  const model = await loadModel(path, options);
  for await (const { text, token } of model.generate('Once', { maxTokens: 8 })) {
    const checked: { text: string; token: number } = { text, token };
    if (checked.text === '') break;
  }
  // @ts-expect-error: text is no number
  const text: number = (await inlined.complete('Once')).text;
  return (model instanceof Model ? model : inlined).createSession({ contextLength: text });
}
