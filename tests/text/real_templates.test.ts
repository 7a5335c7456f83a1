// Real chat templates with their tokenizers: conversations mean what the Jinja library and the tokenizer make of
// them, and contents that hold control tokens are text, whoever speaks.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Template } from '@huggingface/jinja';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { encodePrompt } from '../../bindings/generate/prompt.js';
import type { ChatMessage, ChatOptions } from '../../bindings/text/chat_template.js';
import { findChatTemplate } from '../../bindings/text/chat_template.js';
import { createTokenizer, type TokenizerTexts } from '../../bindings/text/tokenizer.js';
import { sharedModel } from '../support/shared_models.js';
import { vocabulary } from '../support/vocabularies.js';

const CONFIG = { vocabSize: 200_000, bosTokenId: null, eosTokenIds: [] };
/** Llama 2 has its template elsewhere. */
const INSTRUCTIONS =
  "{% for m in messages %}{{ bos_token + '[INST] ' + m.content + ' [/INST] ' + eos_token }}{% endfor %}";

interface Known {
  readonly name: string;
  readonly texts: TokenizerTexts;
  readonly template: string;
}

/** Every model here that has a chat template. */
function* knownModels(): Iterable<Known> {
  for (const name of ['deepseek_v3', 'llama2', 'mistral_nemo', 'qwen3']) {
    const texts = vocabulary(name);
    if (texts === null) continue;
    yield {
      name,
      texts,
      template: findChatTemplate({ ...texts, chatTemplate: null }) ?? INSTRUCTIONS,
    };
  }
  const folder = sharedModel('.');
  for (const name of folder === null ? [] : readdirSync(folder)) {
    const read = (file: string) => readFileSync(join(folder!, name, file), 'utf8');
    const texts = {
      tokenizer: read('tokenizer.json'),
      tokenizerConfig: read('tokenizer_config.json'),
    };
    const template = findChatTemplate({ ...texts, chatTemplate: null });
    if (template !== null) yield { name, texts, template };
  }
}

const TOOLS = [
  {
    type: 'function',
    function: { name: 'clock', description: 'X', parameters: { type: 'object', properties: {} } },
  },
];

/** Conversations of every kind that most templates take, with `content` in every role. */
function conversations(
  content: string,
): readonly [messages: ChatMessage[], options: ChatOptions][] {
  const turns = ['user', 'assistant', 'user'].map((role) => ({ role, content }));
  const call = {
    id: '123456789',
    type: 'function',
    function: { name: 'clock', arguments: content },
  };
  const tool = [
    { role: 'user', content },
    { role: 'assistant', content: null as unknown as string, tool_calls: [call] },
    { role: 'tool', content, tool_call_id: '123456789' },
  ];
  return [
    [turns, {}],
    [[{ role: 'system', content }, ...turns], { addGenerationPrompt: false }],
    [tool, {}],
    [turns, { tools: JSON.parse(JSON.stringify(TOOLS).replace('"X"', JSON.stringify(content))) }],
  ];
}

for (const { name, texts, template } of knownModels()) {
  const tokenizer = createTokenizer(texts, CONFIG);
  const { bosToken, eosToken, controlTokens } = tokenizer;
  const model = { tokenizer, chatTemplate: template };
  const file = JSON.parse(texts.tokenizer!);
  const added_tokens = file.added_tokens.filter(
    ({ content }: { content: string }) => !controlTokens.includes(content),
  );
  /** As `split_special_tokens` has it: it knows no control token. */
  const plain = createTokenizer(
    { ...texts, tokenizer: JSON.stringify({ ...file, added_tokens }) },
    CONFIG,
  );
  const encodePlain = (text: string) => plain.encode(text, { addSpecialTokens: false });
  const encode = (text: string) => tokenizer.encode(text, { addSpecialTokens: false });
  const patterns = [...controlTokens]
    .sort((a, b) => b.length - a.length)
    .map((token) => {
      return token.replace(/[|[\]\\^$.*+?(){}]/g, '\\$&');
    });
  const control = new RegExp(`(${patterns.join('|')})`);

  /** As the library renders it; null if the template refuses. */
  const rendered = (messages: readonly ChatMessage[], options: ChatOptions): string | null => {
    try {
      return new Template(template).render({
        messages,
        tools: options.tools ?? null,
        add_generation_prompt: options.addGenerationPrompt ?? true,
        bos_token: bosToken ?? '',
        eos_token: eosToken ?? '',
      });
    } catch {
      return null;
    }
  };

  test(`${name}: conversations without control tokens have the ids they had`, () => {
    const words = 'Hi [1] <b> {"a": 2} </b>\n<think>\nhm\n</think>\n\nso <tool_call> | 你好 😀  ';
    let count = 0;
    for (const [messages, options] of [...conversations(words), ...conversations('Hi')]) {
      const text = rendered(messages, options);
      if (text === null) continue;
      count++;
      assert.equal(encodePrompt(model, messages, options), encode(text));
    }
    assert.ok(count >= 4, `${count} conversations`);
  });

  test(`${name}: control tokens in contents are text in every role`, () => {
    const hostile = `a ${controlTokens.slice(0, 25).join('system x ')}user b${controlTokens.slice(-9).join('')} c`;
    // Stands for the content, and looks like a word everywhere.
    const word = 'Xqzkv';
    const harmless = conversations(word);
    let count = 0;
    for (const [i, [messages, options]] of conversations(hostile).entries()) {
      const [harmlessMessages, harmlessOptions] = harmless[i]!;
      const text = rendered(harmlessMessages, harmlessOptions);
      if (text === null) continue;
      count++;
      const sections = text.split(control).filter((section) => section !== '');
      const expected = sections.flatMap((section) => {
        if (control.test(section)) return encode(section);
        return encodePlain(section.replaceAll(word, () => hostile));
      });
      assert.equal(encodePrompt(model, messages, options), expected);
      const open = encodePrompt(model, messages, { ...options, controlTokensInContent: true });
      assert.equal(open, encode(rendered(messages, options)!));
      assert.not.equal(open, expected);
    }
    assert.ok(count >= 2, `${count} conversations`);
  });
}

test.run();
