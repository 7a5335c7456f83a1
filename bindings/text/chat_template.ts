// Messages to the text a chat model was trained on, by the model's own Jinja template.

import { Template } from '@huggingface/jinja';
import { FormatError } from '../errors.js';
import { isJsonObject, parseJsonObject } from '../model/json_fields.js';

export interface ChatMessage {
  readonly role: string;
  readonly content: string;
  /** Whatever else the template reads, such as `tool_calls`. */
  readonly [key: string]: unknown;
}

export interface ChatOptions {
  /** Opens the assistant's turn; default true. */
  readonly addGenerationPrompt?: boolean | undefined;
  /** JSON schemas of the functions the model may call. */
  readonly tools?: readonly unknown[] | undefined;
  readonly bosToken?: string | null | undefined;
  readonly eosToken?: string | null | undefined;
  /** Other variables of the template, such as `enable_thinking`. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined;
}

const DEFAULT = 'default';

/**
 * The template of a checkpoint: chat_template.jinja, else `chat_template` of tokenizer_config.json,
 * of several the one named `default`. Null if there is none.
 * @throws FormatError for one that is neither a string nor a list of named ones
 */
export function findChatTemplate(texts: {
  readonly chatTemplate: string | null;
  readonly tokenizerConfig: string | null;
}): string | null {
  if (texts.chatTemplate !== null) return texts.chatTemplate;
  if (texts.tokenizerConfig === null) return null;
  const name = 'tokenizer_config.json';
  const template = parseJsonObject(texts.tokenizerConfig, name).chat_template ?? null;
  if (template === null || typeof template === 'string') return template;
  const named: unknown[] = Array.isArray(template) ? template : [];
  for (const one of named) {
    if (isJsonObject(one) && one.name === DEFAULT && typeof one.template === 'string') {
      return one.template;
    }
  }
  throw new FormatError(
    `[${name}] chat_template: expected a string or a list with one named ${DEFAULT}, came ${typeof template}`,
  );
}

/**
 * The prompt text; to be encoded without special tokens, which the template writes itself.
 * @throws FormatError if the template is damaged or refuses the messages, with its own words
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  options: ChatOptions = {},
): string {
  const { addGenerationPrompt = true, tools, bosToken, eosToken, variables } = options;
  try {
    return new Template(template).render({
      ...variables,
      messages,
      add_generation_prompt: addGenerationPrompt,
      tools: tools && tools.length > 0 ? tools : null,
      bos_token: bosToken ?? '',
      eos_token: eosToken ?? '',
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new FormatError(`[chat template] ${reason}`, { cause });
  }
}
