// Options of generating, and what they mean for a model.

import { OptionError, show } from '../errors.js';
import type { Progress } from '../model/progress.js';
import { checkOptionNames, type OptionNames } from '../options.js';
import { SAMPLER_OPTIONS, Sampler, type SamplerOptions } from '../sampler/sampler.js';
import type { Session } from '../session/session.js';
import type { ChatOptions } from '../text/chat_template.js';
import { StopMatcher } from '../text/stop_matcher.js';

/** Sampling options that are not given come from the model's generation_config.json. */
export interface GenerateOptions extends SamplerOptions {
  /** Most tokens to generate; 0: only the prompt is processed. Default: until the context is full. */
  readonly maxTokens?: number | undefined;
  /** Texts that end the generation; they are not part of the text. */
  readonly stop?: string | readonly string[] | undefined;
  /** Aborting throws `signal.reason`. */
  readonly signal?: AbortSignal | undefined;
  /** Progress of the prompt, stage `prefill`, in tokens. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  /**
   * Continues in this session, which stays open: the tokens it has in common with the start of the prompt are
   * kept, others dropped, and only the rest of the prompt is fed. The text is the same as without. From the first
   * `next()` until the generation has ended or was left, other calls that would change the session's tokens are
   * refused with an OptionError; `fork` waits for the token under way, `dispose` ends the generation. A later
   * generation in the session ends this one with an OptionError.
   */
  readonly session?: Session | undefined;
  /** Tools and variables of the chat template. */
  readonly chat?: ChatOptions | undefined;
}

const CHAT_OPTIONS: OptionNames<ChatOptions> = {
  addGenerationPrompt: true,
  tools: true,
  bosToken: true,
  eosToken: true,
  variables: true,
  controlTokensInContent: true,
};

const GENERATE_OPTIONS: OptionNames<GenerateOptions> = {
  ...SAMPLER_OPTIONS,
  maxTokens: true,
  stop: true,
  signal: true,
  onProgress: true,
  session: true,
  chat: true,
};

/**
 * What the options mean for a model with these defaults.
 * @throws OptionError
 */
export function checkGenerateOptions(
  options: GenerateOptions,
  samplerDefaults: SamplerOptions,
): { maxTokens: number; sampler: Sampler; stops: StopMatcher } {
  checkOptionNames('generate', options, GENERATE_OPTIONS);
  if (options.chat !== undefined) checkOptionNames('chat', options.chat, CHAT_OPTIONS);
  const { maxTokens = Number.POSITIVE_INFINITY, stop = [] } = options;
  if (
    maxTokens !== Number.POSITIVE_INFINITY &&
    !(Number.isSafeInteger(maxTokens) && maxTokens >= 0)
  ) {
    throw new OptionError(
      `[generate] maxTokens: expected an integer, 0 or more, came ${show(maxTokens)}`,
    );
  }
  const sampler = new Sampler(withDefaults(options, samplerDefaults));
  const stops = new StopMatcher(typeof stop === 'string' ? [stop] : stop);
  return { maxTokens, sampler, stops };
}

function withDefaults(options: SamplerOptions, defaults: SamplerOptions): SamplerOptions {
  return {
    temperature: options.temperature ?? defaults.temperature,
    topK: options.topK ?? defaults.topK,
    topP: options.topP ?? defaults.topP,
    minP: options.minP ?? defaults.minP,
    repetitionPenalty: options.repetitionPenalty ?? defaults.repetitionPenalty,
    seed: options.seed,
    logitBias: options.logitBias,
    allowedTokens: options.allowedTokens,
  };
}
