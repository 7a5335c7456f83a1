// halfbyte in Node or in a page: the same calls.

import { CONTEXT, type LikelyToken, type ModelPeer, type PeerOptions } from './model_peer.js';

type Halfbyte = typeof import('../../bindings/index.js');

export async function load({ entry, model: location, threads }: PeerOptions): Promise<ModelPeer> {
  const { loadModel, Sampler }: Halfbyte = await import(entry);
  const model = await loadModel(location, { threads, kvCache: 'f16' });
  const { runtime } = model;
  if (runtime.threads !== threads) {
    throw new Error(`[halfbyte] ${threads} threads wanted, ${runtime.threads} run`);
  }
  const greedy = new Sampler({ temperature: 0 });
  return {
    about: `${runtime.simd} SIMD, ${runtime.threads} threads`,

    // As bindings/cli/trial.ts, which a page does not get.
    async run(prompt, decodeTokens) {
      const session = await model.createSession({ contextLength: CONTEXT });
      const started = performance.now();
      let token = await session.sample(prompt, greedy);
      const first = performance.now();
      for (let i = 0; i < decodeTokens; i++) token = await session.sample([token], greedy);
      const decodeMs = performance.now() - first;
      await session.dispose();
      return { prefillMs: first - started, decodeMs };
    },

    async likely(prompt, count) {
      const session = await model.createSession({ contextLength: CONTEXT });
      const logits = await session.prefill(prompt);
      await session.dispose();
      return likeliest(logits, count);
    },
  };
}

function likeliest(logits: Float32Array, count: number): LikelyToken[] {
  const most = logits.reduce((a, b) => Math.max(a, b));
  const logSum = most + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - most), 0));
  return Array.from(logits, (logit, token) => ({ token, logProbability: logit - logSum }))
    .sort((a, b) => b.logProbability - a.logProbability)
    .slice(0, count);
}
