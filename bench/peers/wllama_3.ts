// wllama 3, in a page. It has no calls below a completion of text, so its own timings of one are taken; they
// leave out the tokenizer and what lies between page and worker.

import { CONTEXT, type ModelPeer, type PeerOptions } from './model_peer.js';
import { tokenText } from './vocabulary.js';

interface Completion {
  readonly choices: readonly {
    readonly logprobs?: {
      readonly content: readonly {
        readonly top_logprobs: readonly { readonly id: number; readonly logprob: number }[];
      }[];
    };
  }[];
  readonly timings: {
    readonly cache_n: number;
    readonly prompt_n: number;
    readonly prompt_ms: number;
    readonly predicted_n: number;
    readonly predicted_ms: number;
  };
}

interface Module {
  readonly Wllama: new (
    assets: PeerOptions['assets'],
    options: { suppressNativeLog: boolean },
  ) => {
    loadModel(files: Blob[], options: object): Promise<void>;
    getNumThreads(): number;
    createCompletion(options: object): Promise<Completion>;
  };
}

export async function load({ entry, model, threads, assets }: PeerOptions): Promise<ModelPeer> {
  const { Wllama }: Module = await import(entry);
  const wllama = new Wllama(assets, { suppressNativeLog: true });
  const file = await (await fetch(model)).blob();
  await wllama.loadModel([file], {
    n_ctx: CONTEXT,
    n_threads: threads,
    n_gpu_layers: 0,
    cache_type_k: 'f16',
    cache_type_v: 'f16',
    warmup: false,
  });
  if (wllama.getNumThreads() !== threads) {
    throw new Error(`[wllama] ${threads} threads wanted, ${wllama.getNumThreads()} run`);
  }

  async function complete(prompt: readonly number[], tokens: number, more: object) {
    const completion = await wllama.createCompletion({
      prompt: prompt.map(tokenText).join(''),
      max_tokens: tokens,
      temperature: 0,
      ignore_eos: true,
      cache_prompt: false,
      ...more,
    });
    const { prompt_n, cache_n, predicted_n } = completion.timings;
    if (prompt_n !== prompt.length || cache_n > 0 || predicted_n !== tokens) {
      throw new Error(
        `[wllama] ${prompt.length} + ${tokens} tokens wanted, ` +
          `${prompt_n} (${cache_n} cached) + ${predicted_n} ran`,
      );
    }
    return completion;
  }

  return {
    about: `${threads} threads`,

    // The first token belongs to the prompt.
    async run(prompt, decodeTokens) {
      const { timings } = await complete(prompt, decodeTokens + 1, {});
      return { prefillMs: timings.prompt_ms, decodeMs: timings.predicted_ms };
    },

    async likely(prompt, count) {
      const { choices } = await complete(prompt, 1, { n_probs: count });
      const likely = choices[0]?.logprobs?.content[0]?.top_logprobs ?? [];
      return likely.map(({ id, logprob }) => ({ token: id, logProbability: logprob }));
    },
  };
}
