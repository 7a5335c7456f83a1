// What every runtime that runs whole models is asked, in whatever process or page it lives.

export interface PeerOptions {
  /** Path or URL of the runtime's main module. */
  readonly entry: string;
  /** Path or URL of the checkpoint's directory, or of the GGUF. */
  readonly model: string;
  readonly threads: number;
  /** URLs of WebAssembly modules that the runtime cannot find itself. */
  readonly assets: Readonly<Record<string, string>>;
}

/** One prompt and the tokens that follow it, greedy, in a KV cache of float16 that was empty. */
export interface PeerTrial {
  /** From the prompt to its first token, sampling included. */
  readonly prefillMs: number;
  /** Of `decodeTokens` further ones: each is fed, and the next one sampled. */
  readonly decodeMs: number;
}

export interface LikelyToken {
  readonly token: number;
  /** Natural logarithm. */
  readonly logProbability: number;
}

export interface ModelPeer {
  /** What it says of itself: threads it uses, kind of build. */
  readonly about: string;
  run(prompt: readonly number[], decodeTokens: number): Promise<PeerTrial>;
  /** The `count` most likely tokens after the prompt, likeliest first. */
  likely(prompt: readonly number[], count: number): Promise<LikelyToken[]>;
}

/** Tokens that a session must hold at most. */
export const CONTEXT = 512;
