// The kinds of prompt and the ids they are fed as.

import { FormatError, OptionError, show } from '../errors.js';
import { type ChatMessage, type ChatOptions, renderMarkedChat } from '../text/chat_template.js';
import type { EncodeOptions, Tokenizer } from '../text/tokenizer.js';

/**
 * A text, in which control tokens such as `<|im_end|>` are those tokens; token ids, fed as they are; or messages,
 * which the model's chat template makes a text of, and in which such tokens are text.
 */
export type Prompt = string | readonly number[] | readonly ChatMessage[];

/** What encoding a prompt needs of a model. */
export interface PromptModel {
  readonly tokenizer: Tokenizer;
  /** Jinja text. */
  readonly chatTemplate: string | null;
}

/** The ids that a prompt is fed as; those of a long text when asked for, stopped by a signal. */
export type PromptTokens = number[] | ((signal?: AbortSignal) => Promise<number[]>);

/** Characters that are encoded before anyone could want to stop it. */
const MOST_AT_ONCE = 50_000;

/**
 * The ids that a prompt is fed as.
 * @throws OptionError for an empty one, FormatError for messages if the model has no chat template
 */
export function encodePrompt(
  model: PromptModel,
  prompt: Prompt,
  chat: ChatOptions = {},
): PromptTokens {
  let tokens: PromptTokens;
  if (typeof prompt === 'string') tokens = encode(model.tokenizer, prompt);
  else if (prompt === null || typeof prompt !== 'object' || !(Symbol.iterator in prompt)) {
    const expected = 'expected a text, token ids or messages';
    throw new OptionError(`[generate] prompt: ${expected}, came ${show(prompt)}`);
  } else if (isMessages(prompt)) tokens = encodeChat(model, prompt, chat);
  else tokens = [...prompt];
  return typeof tokens === 'function' ? tokens : checkTokens(tokens);
}

function encode(tokenizer: Tokenizer, text: string, options: EncodeOptions = {}): PromptTokens {
  if (text.length <= MOST_AT_ONCE) return tokenizer.encode(text, options);
  return async (signal) => checkTokens(await tokenizer.encodeAsync(text, { ...options, signal }));
}

function checkTokens(tokens: number[]): number[] {
  if (tokens.length > 0) return tokens;
  throw new OptionError('[generate] prompt: expected tokens, came none');
}

function isMessages(
  prompt: readonly number[] | readonly ChatMessage[],
): prompt is readonly ChatMessage[] {
  return typeof prompt[0] === 'object';
}

function encodeChat(
  { tokenizer, chatTemplate }: PromptModel,
  messages: readonly ChatMessage[],
  chat: ChatOptions,
): PromptTokens {
  if (chatTemplate === null) {
    throw new FormatError('[generate] messages need a chat template, this model has none');
  }
  const { bosToken, eosToken, controlTokens } = tokenizer;
  const options = { bosToken, eosToken, ...chat };
  const { text, ranges } = renderMarkedChat(chatTemplate, messages, options, controlTokens);
  return encode(tokenizer, text, { addSpecialTokens: false, asText: ranges });
}
