// Text in, text out.

import { Clock, type StepTimings } from './generate/clock.js';
import { checkGenerateOptions, type GenerateOptions } from './generate/options.js';
import {
  encodePrompt,
  type Prompt,
  type PromptModel,
  type PromptTokens,
} from './generate/prompt.js';
import { TextStream } from './generate/text_stream.js';
import type { Sampler, SamplerOptions } from './sampler/sampler.js';
import type { Occupation } from './session/owner.js';
import { Session } from './session/session.js';
import type { StopMatcher } from './text/stop_matcher.js';

export type { GenerateOptions } from './generate/options.js';

/**
 * One token and the text it completes: '' while a character or a possible stop string is incomplete. The
 * text before an end-of-text token, if any was held back, comes with that token.
 */
export interface GenerateChunk {
  readonly text: string;
  readonly token: number;
}

export interface GenerateResult {
  /** Token ids as fed, BOS and chat template included. */
  readonly promptTokens: readonly number[];
  /** Generated ids, without the end-of-text token. */
  readonly tokens: readonly number[];
  /** Generated text, without a matched stop string. */
  readonly text: string;
  /** stop: end-of-text token or stop string; length: maxTokens reached or context full. */
  readonly finishReason: 'stop' | 'length';
  /** The seed that repeats it. */
  readonly seed: number;
  readonly timings: GenerateTimings;
}

export interface GenerateTimings extends StepTimings {
  /** What loading the model took. */
  readonly loadMs: number;
}

/** What generating needs of a model. */
export interface TextModel extends PromptModel {
  readonly samplerDefaults: SamplerOptions;
  readonly loadMs: number;
  createSession(): Promise<Session>;
}

/**
 * Generates text as it comes; the generator returns the whole result.
 * @throws OptionError for a bad option or an empty prompt, at once; while running CapacityError for a prompt
 *   longer than the context, FormatError for logits that are not finite, DisposedError, `signal.reason` when
 *   aborted
 */
export function generate(
  model: TextModel,
  prompt: Prompt,
  options: GenerateOptions = {},
): AsyncGenerator<GenerateChunk, GenerateResult, void> {
  const started = performance.now();
  const choices = checkGenerateOptions(options, model.samplerDefaults);
  const prepared = encodePrompt(model, prompt, options.chat);
  return run(model, prepared, { ...choices, options, started });
}

/** Generates all text. @throws as `generate` */
export async function complete(
  model: TextModel,
  prompt: Prompt,
  options: GenerateOptions = {},
): Promise<GenerateResult> {
  const chunks = generate(model, prompt, options);
  for (;;) {
    const next = await chunks.next();
    if (next.done) return next.value;
  }
}

interface Job {
  readonly promptTokens: readonly number[];
  readonly maxTokens: number;
  readonly sampler: Sampler;
  readonly stops: StopMatcher;
  readonly options: GenerateOptions;
  /** Milliseconds of `performance.now()`. */
  readonly started: number;
}

async function* run(
  model: TextModel,
  prompt: PromptTokens,
  prepared: Omit<Job, 'promptTokens'>,
): AsyncGenerator<GenerateChunk, GenerateResult, void> {
  const { signal } = prepared.options;
  const promptTokens = typeof prompt === 'function' ? await prompt(signal) : prompt;
  const job = { ...prepared, promptTokens };
  const session = job.options.session ?? (await model.createSession());
  const occupation = Session.occupy(session);
  try {
    return yield* runIn(session, occupation, model, job);
  } finally {
    occupation.end();
    if (!job.options.session) await session.dispose();
  }
}

async function* runIn(
  session: Session,
  occupation: Occupation,
  model: TextModel,
  job: Job,
): AsyncGenerator<GenerateChunk, GenerateResult, void> {
  const { promptTokens, maxTokens, sampler, stops, options, started } = job;
  const { signal, onProgress } = options;
  let fed = promptTokens.slice(await occupation.keepPrefix(promptTokens, { signal }));
  const clock = new Clock(started, fed.length);
  const text = new TextStream(model.tokenizer, promptTokens, stops);
  const tokens: number[] = [];
  let finishReason: 'stop' | 'length' = 'length';
  if (maxTokens === 0) {
    await occupation.prefill(fed, { signal, onProgress });
    clock.stop();
  }
  while (tokens.length < maxTokens) {
    const first = tokens.length === 0;
    clock.start();
    const token = await occupation.sample(fed, sampler, {
      signal,
      onProgress: first ? onProgress : undefined,
    });
    clock.stop();
    if (model.tokenizer.eosTokenIds.includes(token)) {
      finishReason = 'stop';
      const rest = text.end();
      if (rest !== '') yield { text: rest, token };
      break;
    }
    tokens.push(token);
    // A token that cannot be fed any more is the last one.
    const last = tokens.length === maxTokens || session.length === session.contextLength;
    const piece = text.push(token) + (last ? text.end() : '');
    if (stops.matched !== null) finishReason = 'stop';
    yield { text: piece, token };
    if (last || stops.matched !== null) break;
    fed = [token];
  }
  return {
    promptTokens,
    tokens,
    text: text.all,
    finishReason,
    seed: sampler.seed,
    timings: { loadMs: model.loadMs, ...clock.timings() },
  };
}
