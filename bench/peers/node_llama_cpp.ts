// node-llama-cpp: llama.cpp compiled for this CPU, in Node. Tokens are chosen by its native greedy sampler;
// its sequence API is the lowest there is, so that no text is made of them.

import { CONTEXT, type ModelPeer, type PeerOptions } from './model_peer.js';

interface Sequence {
  clearHistory(): Promise<void>;
  evaluate(
    tokens: readonly number[],
    options: { temperature: number; yieldEogToken: boolean },
  ): AsyncGenerator<number>;
  controlledEvaluate(
    input: readonly (number | readonly [number, object])[],
  ): Promise<({ next: { probabilities: ReadonlyMap<number, number> } } | undefined)[]>;
}

interface NodeLlamaCpp {
  getLlama(options: object): Promise<{
    readonly cpuMathCores: number;
    loadModel(options: object): Promise<{
      createContext(options: object): Promise<{
        readonly currentThreads: number;
        readonly flashAttention: unknown;
        getSequence(): Sequence;
      }>;
    }>;
  }>;
}

export async function load({ entry, model: modelPath, threads }: PeerOptions): Promise<ModelPeer> {
  const { getLlama }: NodeLlamaCpp = await import(entry);
  const llama = await getLlama({ gpu: false, build: 'never', maxThreads: 0, logLevel: 'error' });
  const model = await llama.loadModel({ modelPath });
  const context = await model.createContext({ contextSize: CONTEXT, threads });
  if (context.currentThreads !== threads) {
    throw new Error(`[node-llama-cpp] ${threads} threads wanted, ${context.currentThreads} run`);
  }
  const sequence = context.getSequence();
  return {
    about: `${threads} threads, flash attention ${context.flashAttention}`,

    async run(prompt, decodeTokens) {
      await sequence.clearHistory();
      const started = performance.now();
      const tokens = sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true });
      await tokens.next();
      const first = performance.now();
      for (let i = 0; i < decodeTokens; i++) await tokens.next();
      const decodeMs = performance.now() - first;
      await tokens.return(undefined);
      return { prefillMs: first - started, decodeMs };
    },

    async likely(prompt, count) {
      await sequence.clearHistory();
      const last = prompt.at(-1)!;
      const wanted = {
        generateNext: { probabilities: true, options: { temperature: 1, topK: 0, topP: 1 } },
      };
      const input = [...prompt.slice(0, -1), [last, wanted] as const];
      const { probabilities } = (await sequence.controlledEvaluate(input)).at(-1)!.next;
      return [...probabilities]
        .map(([token, p]) => ({ token, logProbability: Math.log(p) }))
        .sort((a, b) => b.logProbability - a.logProbability)
        .slice(0, count);
    },
  };
}
