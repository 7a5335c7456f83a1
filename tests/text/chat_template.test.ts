import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { findChatTemplate, renderChat } from '../../bindings/text/chat_template.js';
import { StreamDecoder } from '../../bindings/text/stream_decoder.js';
import { createTokenizer } from '../../bindings/text/tokenizer.js';
import { raises } from '../support/raises.js';
import { sharedModel } from '../support/shared_models.js';

const TEMPLATE = [
  '{%- if tools %}tools:{% for tool in tools %}{{ tool.name }};{% endfor %}{% endif -%}',
  '{{ bos_token }}{% for message in messages %}',
  "{%- if message.role == 'robot' %}{{ raise_exception('no robots') }}{% endif -%}",
  '[{{ message.role }}] {{ message.content }}{{ eos_token }}',
  '{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}',
].join('');

const MESSAGES = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hi <there>' },
];

test('messages become the prompt', () => {
  const tokens = { bosToken: '<s>', eosToken: '</s>' };
  const turns = '<s>[system] Be brief.</s>[user] Hi <there></s>';
  assert.is(renderChat(TEMPLATE, MESSAGES, tokens), `${turns}[assistant]`);
  assert.is(renderChat(TEMPLATE, MESSAGES, { ...tokens, addGenerationPrompt: false }), turns);
  const tools = [{ name: 'clock' }, { name: 'maps' }];
  const bare = '[system] Be brief.[user] Hi <there>[assistant]';
  assert.is(renderChat(TEMPLATE, MESSAGES, { tools }), `tools:clock;maps;${bare}`);
  assert.is(renderChat('{{ thinking }}', [], { variables: { thinking: 'no' } }), 'no');
});

test('a template that refuses or is damaged says so in its own words', async () => {
  const robot = [{ role: 'robot', content: '' }];
  await raises(() => renderChat(TEMPLATE, robot), 'FORMAT', ['[chat template]', 'no robots']);
  await raises(() => renderChat('{% if %}', []), 'FORMAT', ['[chat template]']);
  await raises(() => renderChat('{{ 1 | nonsense }}', []), 'FORMAT', ['nonsense']);
});

test('where the template comes from', async () => {
  const find = (chatTemplate: string | null, config: object | null) =>
    findChatTemplate({ chatTemplate, tokenizerConfig: config && JSON.stringify(config) });
  assert.is(find('file', { chat_template: 'config' }), 'file');
  assert.is(find(null, { chat_template: 'config' }), 'config');
  assert.is(find(null, {}), null);
  assert.is(find(null, null), null);
  const tools = { name: 'tool_use', template: 'tools' };
  const named = [tools, { name: 'default', template: 'plain' }];
  assert.is(find(null, { chat_template: named }), 'plain');
  await raises(() => find(null, { chat_template: [tools] }), 'FORMAT', [
    'chat_template',
    'default',
  ]);
  await raises(() => find(null, { chat_template: 7 }), 'FORMAT', ['chat_template', 'number']);
});

const minimind = sharedModel('minimind2-small');
if (minimind) {
  test('minimind2-small: the golden prompts from their messages, and the answers', async () => {
    const read = (name: string) => readFile(join(minimind, name), 'utf8');
    const texts = {
      tokenizer: await read('tokenizer.json'),
      tokenizerConfig: await read('tokenizer_config.json'),
    };
    const config = { vocabSize: 6400, bosTokenId: 1, eosTokenIds: [2] };
    const tokenizer = createTokenizer(texts, config);
    const template = findChatTemplate({ ...texts, chatTemplate: null })!;
    const { bosToken, eosToken } = tokenizer;
    const { cases } = JSON.parse(await read('golden.json'));
    const questions = [
      '你好，请介绍一下你自己。',
      '世界上最高的山峰是什么？',
      'What is the capital of France?',
    ];
    for (const [i, content] of questions.entries()) {
      const prompt = renderChat(template, [{ role: 'user', content }], { bosToken, eosToken });
      const ids = tokenizer.encode(prompt, { addSpecialTokens: false });
      assert.equal(ids, cases[i].prompt_ids);
      const decoder = new StreamDecoder(tokenizer);
      const pieces = cases[i].greedy_ids.map((id: number) => decoder.push(id));
      assert.is(pieces.join('') + decoder.flush(), cases[i].text);
    }
  });
}

test.run();
