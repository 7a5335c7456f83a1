// Chat templates of well-known models, and conversations of every kind that most of them take.

import type { ChatMessage, ChatOptions } from '../../bindings/text/chat_template.js';
import { findChatTemplate } from '../../bindings/text/chat_template.js';
import { vocabulary } from '../support/vocabularies.js';

const NAMES = ['deepseek_v3', 'mistral_nemo', 'qwen3'];

/** By name; empty where the vocabularies are not installed. */
export function realTemplates(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of NAMES) {
    const texts = vocabulary(name);
    const template = texts && findChatTemplate({ ...texts, chatTemplate: null });
    if (template) found[name] = template;
  }
  return found;
}

/** Small templates, of what the real ones use and of what implementations of Jinja differ in. */
export const SMALL_TEMPLATES: Readonly<Record<string, string>> = {
  'white space around blocks':
    'a\n  {% if true %}\n  b\n  {% endif %}\n{%- if true -%}\n c \n{%- endif %}\n d\n{{ 1 }}\n\n  {# no #}\n e\n',
  tojson:
    '{{ messages | tojson }}{{ tools | tojson(indent=2) }}{{ "\\u00e9<>&\'" | tojson }}{{ [1.0, 2.5, none, true] | tojson }}',
  'values as text':
    '{{ none }}|{{ true }}|{{ 1.0 }}|{{ 1e3 }}|{{ [1, "a", none] }}|{{ {"a": true} }}|{{ missing }}',
  arithmetic:
    '{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 3 }} {{ "a" ~ 1 }} {{ "ab" * 2 }}',
  tests:
    '{{ messages is iterable }} {{ messages[0] is mapping }} {{ "a" is string }} {{ x is defined }} {{ none is none }} {{ 1 is number }} {{ true is boolean }} {{ 3 is odd }} {{ "a" in "cab" }} {{ messages is sequence }}',
  filters:
    '{{ " a b " | trim }}|{{ "a b" | title }}|{{ "aBc" | upper }}|{{ "aBc" | lower }}|{{ [1, 2] | join(", ") }}|{{ [1, 2] | length }}|{{ [3, 1] | first }}{{ [3, 1] | last }}|{{ [3, 1] | sort }}|{{ "a" | replace("a", "b") }}|{{ missing | default("d") }}|{{ messages | map(attribute="role") | join(",") }}|{{ messages | selectattr("role", "equalto", "user") | list | length }}|{{ [1, 1, 2] | unique | list }}|{{ "x" | string }}|{{ "12" | int + 1 }}|{{ {"b": 1, "a": 2} | items | list | length }}|{{ "a\\nb" | indent(2) }}|{{ ["a", "b"] | reverse | list }}|{{ -3 | abs }}',
  methods:
    '{{ "a,b".split(",") | length }}|{{ " a ".strip() }}|{{ "abc".startswith("ab") }}|{{ "abc".endswith("c") }}|{{ " a".lstrip() }}|{{ "a ".rstrip() }}|{{ "ab".replace("b", "c") }}|{{ "a b".title() }}|{{ "ab".upper() }}|{{ messages[0].get("no", "none") }}|{{ messages[0].items() | list | length }}|{{ messages[0].keys() | list | length }}',
  slices:
    '{{ "abcdef"[1:3] }}|{{ "abcdef"[::-1] }}|{{ "abcdef"[-2:] }}|{{ messages[1:] | length }}|{{ messages[-1].role }}|{{ messages[::-1][0].role }}',
  loops:
    '{% for m in messages %}{{ loop.index }}/{{ loop.length }} {{ loop.index0 }} {{ loop.first }} {{ loop.last }} {{ loop.revindex }} {{ (loop.previtem or {}).role }} {{ (loop.nextitem or {}).role }}\n{% else %}none{% endfor %}{% for i in range(5) if i % 2 %}{{ i }}{% if i > 2 %}{% break %}{% endif %}{% endfor %}{% for k, v in {"a": 1, "b": 2}.items() %}{{ k }}{{ v }}{% endfor %}{% for i in range(3) %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}',
  'names and scopes':
    '{% set ns = namespace(n=0, last=none) %}{% for m in messages %}{% set ns.n = ns.n + 1 %}{% set inner = m.role %}{% set ns.last = m.role %}{% endfor %}{{ ns.n }} {{ ns.last }} {{ inner is defined }}{% set x %}block {{ ns.n }}{% endset %}{{ x }}',
  macros:
    '{% macro say(m, who="nobody") %}<{{ who }}: {{ m.content | trim }}>{% endmacro %}{% for m in messages %}{{ say(m, who=m.role) }}{{ say(m) }}{% endfor %}{% macro wrap() %}[{{ caller() }}]{% endmacro %}{% call wrap() %}in{% endcall %}',
  'conditions in place':
    '{{ "a" if messages else "b" }}{{ "x" if false }}{{ (messages[0].content or "") | length > 0 }}{{ not true and false or true }}',
  'what is refused': '{{ raise_exception("Only user and assistant roles") }}',
};

const TOOLS = [
  {
    type: 'function',
    function: {
      name: 'weather',
      description: 'The weather "now" at <place> & \u6771\u4eac',
      parameters: {
        type: 'object',
        properties: { place: { type: 'string' }, days: { type: 'integer', default: 1 } },
        required: ['place'],
      },
    },
  },
];

const text =
  'Hi [1] <b> & "q" \'a\' {"a": 2.0}\n<think>\nhm\n</think>\n\n so | \u4f60\u597d \ud83d\ude00  ';
const user = { role: 'user', content: text };
const assistant = { role: 'assistant', content: 'I see.\n\n' };
const call = {
  role: 'assistant',
  content: '',
  tool_calls: [
    {
      id: '123456789',
      type: 'function',
      function: { name: 'weather', arguments: { place: 'K\u00f6ln', days: 2 } },
    },
  ],
};
const result = {
  role: 'tool',
  content: '{"sky": "blue"}',
  tool_call_id: '123456789',
  name: 'weather',
};

export const CONVERSATIONS: Readonly<
  Record<string, readonly [messages: ChatMessage[], options: ChatOptions]>
> = {
  'one question': [[user], {}],
  'without generation prompt': [[user, assistant], { addGenerationPrompt: false }],
  'with a system message': [
    [{ role: 'system', content: 'Be brief.\n' }, user, assistant, user],
    {},
  ],
  'with tools': [[user], { tools: TOOLS }],
  'a call and its result': [[user, call, result], { tools: TOOLS }],
  'after a result': [[user, call, result, assistant, user], { tools: TOOLS }],
  'a variable': [[user], { variables: { enable_thinking: false } }],
  'thoughts in an answer': [
    [user, { role: 'assistant', content: '<think>\nwhy\n</think>\n\nSo.' }, user],
    {},
  ],
  'two questions in a row': [[user, user], {}],
  'no message': [[], {}],
};

export interface Chat {
  readonly template: string;
  readonly messages: readonly ChatMessage[];
  readonly options: ChatOptions;
}

/** Every real template with every conversation, and every small one with the same. By name. */
export const CHATS: Readonly<Record<string, Chat>> = Object.fromEntries([
  ...Object.entries(realTemplates()).flatMap(([name, template]) =>
    Object.entries(CONVERSATIONS).map(([kind, [messages, options]]) => {
      return [`${name}: ${kind}`, { template, messages, options }] as const;
    }),
  ),
  ...Object.entries(SMALL_TEMPLATES).map(([name, template]) => {
    return [
      name,
      { template, messages: [user, assistant, user], options: { tools: TOOLS } },
    ] as const;
  }),
]);
