// What callers write in messages stays text, whatever the template does with it.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import {
  type ChatMessage,
  type ChatOptions,
  renderMarkedChat,
} from '../../bindings/text/chat_template.js';
import { raises } from '../support/raises.js';

const CONTROL = ['<|start|>', '<|end|>', '[/INST]', '<｜User｜>', 'EOT'];

/** What is rendered of a user's `content` and what else the message has, and the characters marked in it. */
function render(template: string, content: unknown, more: object = {}, options: ChatOptions = {}) {
  const messages = [{ role: 'user', content, ...more } as ChatMessage];
  const { text, ranges } = renderMarkedChat(
    `{% set m = messages[0] %}${template}`,
    messages,
    options,
    CONTROL,
  );
  return { text, marked: ranges.map(([begin, end]) => text.slice(begin, end)) };
}

test("the caller's characters that control tokens are written with are known in the prompt", () => {
  const content = 'a<|start|>b [x] <｜User｜>';
  const { text, marked } = render('<|start|>{{ m.role }}\n{{ m.content }}<|end|>', content);
  assert.is(text, `<|start|>user\n${content}<|end|>`);
  assert.equal(marked, ['<|', '|>', '[', ']', '<｜', '｜>']);
  assert.equal(render('<|start|>{{ m.role }}', content).marked, []);
});

test("a token that is made of pieces is the caller's", () => {
  const parts = [{ text: '<|sta' }, { text: 'rt|>' }];
  const joined = render('{% for p in m.content %}{{ p.text }}{% endfor %}', parts);
  assert.equal([joined.text, joined.marked], ['<|start|>', ['<|', '|>']]);
  const healed = render("{{ m.content | replace('</x>', '') }}", '<|sta</x>rt|>');
  assert.equal([healed.text, healed.marked], ['<|start|>', ['<|', '|>']]);
  const lowered = render('{{ m.content | lower | trim }}', ' <|START|> ');
  assert.equal([lowered.text, lowered.marked], ['<|start|>', ['<|', '|>']]);
  const between = render('<{{ m.content }}>', '|start|');
  assert.equal([between.text, between.marked], ['<|start|>', ['|', '|']]);
  const word = render('{{ m.content }}', 'xEOT E');
  assert.equal([word.text, word.marked], ['xEOT E', ['E']]);
});

test('what a template asks of a content has the answer it had', () => {
  const content = '<think>\nhm [1]</think> so <|end|>';
  const cases: readonly [template: string, text: string][] = [
    [
      "{{ '</think>' in m.content }}{{ '<x>' in m.content }}{{ '<x>' not in m.content }}",
      'truefalsetrue',
    ],
    [
      "{{ m.content.split('</think>')[-1] }}|{{ m.content.split('</think>', 1)|length }}",
      ' so <|end|>|2',
    ],
    ["{{ m.content.startswith('<think>') }}{{ m.content.endswith('<|end|>') }}", 'truetrue'],
    [
      "{{ m.content.startswith(('x', '<t')) }}{{ 'y<' ~ m.content == 'y<' + m.content }}",
      'truetrue',
    ],
    ["{{ m.content.replace('<|end|>', '[E]') }}", '<think>\nhm [1]</think> so [E]'],
    ["{{ m.content | replace('>', '', 1) }}", '<think\nhm [1]</think> so <|end|>'],
    ["{{ ('<b>' + m.content).split('<') | join('{') }}", '{b>{think>\nhm [1]{/think> so {|end|>'],
    ['{{ m.content|length }} {{ m.content[:3] }}{{ m.content[-1] == ">" }}', '33 <thtrue'],
    ["{{ m.content[:7] in ['<think>', 'x'] }}{{ '<t>' in m.tags }}", 'truetrue'],
    ['{{ m.content | tojson }}', JSON.stringify(content)],
    [
      "{{ m['<k>'] is defined }}{% for k, v in m.args.items() %}{{ k ~ v }}{% endfor %}",
      'false<a>1',
    ],
  ];
  const more = { tags: ['<t>'], args: { '<a>': 1 } };
  for (const [template, text] of cases) assert.is(render(template, content, more).text, text);
});

test('a token of the template that stands beside is not touched', () => {
  const { text, marked } = render("{{ ('<|end|>' ~ m.content).split('x')[0] }}", '<|end|>x');
  assert.equal([text, marked], ['<|end|><|end|>', ['<|', '|>']]);
});

test('marks are characters that occur nowhere, not even escaped', () => {
  const content = '\ue000\ue001 \\ue002 <|end|> \uf8ff';
  assert.is(render('{{ m.content }}', content).text, content);
  const ascii = render('{{ m.content | tojson(ensure_ascii=true) }}', '<|end|> <｜User｜>');
  assert.is(ascii.text, '"<|end|> <\\uff5cUser\\uff5c>"');
  const every = Array.from({ length: 6400 }, (_, i) => String.fromCharCode(0xe000 + i)).join('');
  return raises(() => render('{{ m.content }}', every), 'FORMAT', ['private-use']);
});

test('tools and variables are marked, unless the caller asks for control tokens', () => {
  const template = '{{ tools | tojson }}{{ mood }}{{ bos_token }}{{ m.content }}';
  const options = { tools: ['<|end|>'], variables: { mood: '<|end|>' }, bosToken: '<|start|>' };
  const text = '["<|end|>"]<|end|><|start|><|end|>';
  const { marked, ...plain } = render(template, '<|end|>', {}, options);
  assert.equal([plain.text, marked.join('')], [text, '<||><||><||>']);
  const open = render(template, '<|end|>', {}, { ...options, controlTokensInContent: true });
  assert.equal([open.text, open.marked], [text, []]);
});

test('the words of a refusal are without marks, and not too long', async () => {
  const refuse = '{{ raise_exception("no " ~ m.content) }}';
  await raises(() => render(refuse, '<|end|>'), 'FORMAT', ['[chat template] no <|end|>']);
  try {
    render(refuse, 'x'.repeat(1e6));
    assert.unreachable();
  } catch (error) {
    assert.ok((error as Error).message.length < 2000);
  }
});

test('a role is a plain word, and no part of a control token that a template could make of it', async () => {
  const chat = (role: unknown) => () =>
    renderMarkedChat('<|{{ messages[0].role }}|>', [{ role, content: '' } as ChatMessage], {}, [
      '<|end|>',
      '<|user|>',
    ]);
  for (const role of ['user', 'tool', 'robot', 'tool_response'])
    assert.is(chat(role)().text, `<|${role}|>`);
  for (const role of ['end', 'en', 'a b', 'a|>', '', 7, null, undefined, ['user']]) {
    const came = JSON.stringify(role) ?? 'nothing';
    await raises(chat(role), 'OPTION', ['messages[0].role', 'system, developer, user', came]);
  }
  const none = [null] as unknown as ChatMessage[];
  await raises(() => renderMarkedChat('', none), 'OPTION', ['messages[0].role']);
});

test.run();
