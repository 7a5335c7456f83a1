// Messages to the text a chat model was trained on, by the model's own Jinja template.

import { parse, tokenize } from '@huggingface/jinja';
import { FormatError, HalfbyteError, OptionError } from '../errors.js';
import { describe, isJsonObject, parseJsonObject } from '../model/json_fields.js';
import { CallerMarks, type MarkedText } from './caller_marks.js';
import { TEMPLATE_LIMITS, TemplateBudget, type TemplateLimits } from './template_budget.js';
import { templateScope } from './template_globals.js';
import { BoundedInterpreter } from './template_interpreter.js';

export interface ChatMessage {
  /** `system`, `user`, `assistant`, `tool`, or another word that the template knows. */
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
  /**
   * Control tokens, such as `<|im_start|>`, that are written in messages, tools or variables are those tokens, and may
   * open a turn. Default false: they are text like any other.
   */
  readonly controlTokensInContent?: boolean | undefined;
}

const DEFAULT = 'default';
/** Roles by convention: a template may make a control token of them, such as `<|user|>`. */
const ROLES = [
  ...['system', 'developer', 'user', 'assistant', 'model', 'tool', 'function', 'ipython'],
  ...['observation', 'environment', 'context', 'documents'],
];
/** As Jinja's Python does it for chat templates. */
const SYNTAX = { lstrip_blocks: true, trim_blocks: true };
/** Characters of an error's reason: a template may make one of all messages. */
const LONGEST_REASON = 1000;

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
 * @throws FormatError if the template is damaged, takes more than TEMPLATE_LIMITS, or refuses the messages, with
 *   its own words; OptionError for a role that is no plain word
 */
export function renderChat(
  template: string,
  messages: readonly ChatMessage[],
  options: ChatOptions = {},
): string {
  return renderMarkedChat(template, messages, options).text;
}

/**
 * The prompt text, and the ranges of it in which control tokens are text.
 * @param controlTokens of the tokenizer
 * @throws as `renderChat`, and OptionError for a role that is part of a control token
 */
export function renderMarkedChat(
  template: string,
  messages: readonly ChatMessage[],
  options: ChatOptions = {},
  controlTokens: readonly string[] = [],
  limits: TemplateLimits = TEMPLATE_LIMITS,
): MarkedText {
  const { addGenerationPrompt = true, bosToken, eosToken } = options;
  for (const [i, message] of messages.entries()) checkRole(message?.role, i, controlTokens);
  const { tools, variables } = options;
  let marks: CallerMarks | null = null;
  try {
    const taken = JSON.stringify([template, messages, tools, variables, bosToken, eosToken]);
    marks = new CallerMarks(options.controlTokensInContent ? [] : controlTokens, taken);
    const rendered = render(
      template,
      {
        ...marks.mark(variables),
        messages: markMessages(marks, messages),
        add_generation_prompt: addGenerationPrompt,
        tools: tools && tools.length > 0 ? marks.mark(tools) : null,
        bos_token: bosToken ?? '',
        eos_token: eosToken ?? '',
      },
      marks,
      limits,
    );
    return marks.settle(rendered);
  } catch (cause) {
    if (cause instanceof HalfbyteError) throw cause;
    const reason = cause instanceof Error ? cause.message : String(cause);
    const plain = (marks?.plain(reason) ?? reason).slice(0, LONGEST_REASON);
    throw new FormatError(`[chat template] ${plain}`, { cause });
  }
}

/** Roles stay as they are: they are checked. */
function markMessages(marks: CallerMarks, messages: readonly ChatMessage[]): ChatMessage[] {
  return messages.map((message) => ({ ...marks.mark(message), role: message.role }));
}

function render(
  template: string,
  variables: Readonly<Record<string, unknown>>,
  marks: CallerMarks,
  limits: TemplateLimits,
): string {
  const budget = new TemplateBudget(limits);
  budget.checkTemplate(template);
  const program = parseTemplate(template);
  const scope = templateScope(variables, budget);
  return String(new BoundedInterpreter(scope, template, budget, marks).run(program).value);
}

function parseTemplate(template: string): ReturnType<typeof parse> {
  const tokens = tokenize(template, SYNTAX);
  try {
    return parse(tokens);
  } catch (cause) {
    // How engines call a stack that is full; the parser throws neither itself.
    const overflow =
      cause instanceof RangeError || (cause instanceof Error && cause.name === 'InternalError');
    if (!overflow) throw cause;
    const came = `${tokens.length} tokens, nested too deep to be parsed`;
    throw new FormatError(`[chat template] ${came}`, { cause });
  }
}

function checkRole(role: unknown, i: number, controlTokens: readonly string[]): void {
  const isWord = typeof role === 'string' && /^[A-Za-z][\w-]*$/.test(role);
  if (isWord && (ROLES.includes(role) || !controlTokens.some((token) => token.includes(role)))) {
    return;
  }
  const expected = `expected ${ROLES.slice(0, 6).join(', ')} or another plain word`;
  throw new OptionError(
    `[generate] messages[${i}].role: ${expected} that is no part of a control token, came ${describe(role)}`,
  );
}
