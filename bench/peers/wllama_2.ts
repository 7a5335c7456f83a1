// wllama 2, llama.cpp compiled to WebAssembly, in a page: its low-level calls, by which it feeds tokens and
// samples in its worker.

import { CONTEXT, type ModelPeer, type PeerOptions } from './model_peer.js';

interface Wllama {
  loadModel(
    files: Blob[],
    options: { n_ctx: number; n_threads: number; cache_type_k: 'f16'; cache_type_v: 'f16' },
  ): Promise<void>;
  getNumThreads(): number;
  kvClear(): Promise<void>;
  samplingInit(options: { temp: number }): Promise<void>;
  decode(tokens: readonly number[], options: object): Promise<unknown>;
  samplingSample(): Promise<{ token: number }>;
  getLogits(count: number): Promise<{ token: number; p: number }[]>;
}

interface Module {
  readonly Wllama: new (
    assets: PeerOptions['assets'],
    options: { suppressNativeLog: boolean },
  ) => Wllama;
}

export async function load({ entry, model, threads, assets }: PeerOptions): Promise<ModelPeer> {
  const { Wllama }: Module = await import(entry);
  const wllama = new Wllama(assets, { suppressNativeLog: true });
  const file = await (await fetch(model)).blob();
  const cache = { cache_type_k: 'f16', cache_type_v: 'f16' } as const;
  await wllama.loadModel([file], { n_ctx: CONTEXT, n_threads: threads, ...cache });
  if (wllama.getNumThreads() !== threads) {
    throw new Error(`[wllama] ${threads} threads wanted, ${wllama.getNumThreads()} run`);
  }
  await wllama.samplingInit({ temp: 0 });

  async function next(tokens: readonly number[]): Promise<number> {
    await wllama.decode(tokens, {});
    return (await wllama.samplingSample()).token;
  }

  return {
    about: `${threads} threads`,

    async run(prompt, decodeTokens) {
      await wllama.kvClear();
      const started = performance.now();
      let token = await next(prompt);
      const first = performance.now();
      for (let i = 0; i < decodeTokens; i++) token = await next([token]);
      return { prefillMs: first - started, decodeMs: performance.now() - first };
    },

    async likely(prompt, count) {
      await wllama.kvClear();
      await wllama.decode(prompt, {});
      const likely = await wllama.getLogits(count);
      return likely.map(({ token, p }) => ({ token, logProbability: Math.log(p) }));
    },
  };
}
