// Templates that come with a model cannot stop the process: each of these ran without end, or until the memory was
// full, before there were limits. No clock runs in the tests but the last: steps must be enough.

import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { renderChat, renderMarkedChat } from '../../bindings/text/chat_template.js';
import { TEMPLATE_LIMITS, type TemplateLimits } from '../../bindings/text/template_budget.js';
import { raises } from '../support/raises.js';

const NO_CLOCK = { ...TEMPLATE_LIMITS, milliseconds: Number.POSITIVE_INFINITY };
const FEW_STEPS = { ...NO_CLOCK, steps: 200_000 };

const render = (template: string, limits: TemplateLimits) =>
  renderMarkedChat(template, [{ role: 'user', content: 'Hi' }], {}, ['<|a|>'], limits).text;
const times = (count: number, text: string) => text.repeat(count);
const loop = (body: string) => `{% for i in range(10000) %}${body}{% endfor %}`;

/** `ns.text` of 2^21 characters. */
const LONG = `{% set ns = namespace(text='ab') %}{% for i in range(20) %}{% set ns.text = ns.text + ns.text %}{% endfor %}`;
/** `ns.x` with 2^60 leaves. */
const TREE = `{% set ns = namespace(x=['a']) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}`;
const NAMES = Array.from({ length: 2000 }, (_, i) => `p${i}`).join();
const FANS = Array.from({ length: 60 }, (_, i) => {
  return `{% macro m${i + 1}() %}{{ m${i}() }}{{ m${i}() }}{% endmacro %}`;
});

const STEPS: Readonly<Record<string, string>> = {
  'a long range': '{{ range(1000000000) }}',
  'a long range backwards': '{{ range(0, -1000000000, -1) }}',
  'nested loops': loop(loop(loop('x'))),
  'nested loops without a body': loop(loop('')),
  'loops that go on': loop(loop('{% continue %}')),
  'names that are not known': loop('{{ nobody }}'),
  'lists doubled': `{% set ns = namespace(x=[1]) %}{% for i in range(99) %}{% set ns.x = ns.x + ns.x %}{% endfor %}`,
  'macros that call each other twice': `{% macro m0() %}{% endmacro %}${FANS.join('')}{{ m60() }}`,
  'macros of many parameters': `{% macro m(${NAMES}) %}{% endmacro %}${loop('{{ m() }}')}`,
  'macros of many arguments': `{% macro m() %}{{ varargs|length }}{% endmacro %}{% set l = range(9999) %}${loop('{{ m(*l) }}')}`,
  'macros in a loop': loop(`{% macro m() %}${times(2000, '{{ x }}')}{% endmacro %}`),
  'lists unpacked': `{% set l = range(2000) %}${loop(`{% set ${NAMES} = l %}`)}`,
  'a tree written': `${TREE}{{ ns.x }}`,
  'a tree as JSON': `${TREE}{{ ns.x|tojson }}`,
  'a tree as text': `${TREE}{{ ns.x|string }}`,
  'a tree joined': `${TREE}{{ ns.x|join }}`,
  'a tree joined to text': `${TREE}{{ 'a' ~ ns.x }}`,
  'a tree compared': `${TREE}{{ ns.x == 'a' }}`,
  'a tree as a reason': `${TREE}{{ raise_exception(ns.x) }}`,
  'a namespace in itself': '{% set ns = namespace() %}{% set ns.x = ns %}{{ ns|tojson }}',
  'a tree looked for': `${TREE}${loop("{{ 'b' in [ns.x, ns.x] }}")}`,
  'JSON indented far': '{{ [1, [2]]|tojson(indent=1000000000) }}',
  'a long text searched': `${LONG}{% set p = ns.text[:500000] + 'z' %}{{ p in ns.text }}`,
  'a long text split': `${LONG}{{ ns.text.split('a')|length }}`,
  'a long text in capitals': LONG + loop('{% set y = ns.text|upper %}'),
  'a long text looked at': LONG + loop('{% set ns.text = ns.text + "a" %}{{ ns.text[0] }}'),
  'a long text compared': `${LONG}{% set y = ns.text + '' %}${loop('{{ y == ns.text }}')}`,
  'a long text as a key': LONG + loop('{{ {ns.text: 1}|length }}'),
  'a long text replaced': `${LONG}{{ ns.text|replace('a', ns.text) }}`,
  'a method kept': `${LONG}{% set f = ns.text.replace %}{{ f('a', ns.text) }}`,
  'a long separator': `${LONG}{{ range(1000)|join(ns.text) }}`,
  'a sorted list in a loop': loop('{% set y = range(1000)|sort %}'),
  'a long path': loop(`{% set y = [{'a': 1}]|map(attribute='${times(2000, 'a.')}a') %}`),
};

for (const [name, template] of Object.entries(STEPS)) {
  test(`too many steps: ${name}`, () => {
    return raises(() => render(template, FEW_STEPS), 'FORMAT', [
      '[chat template]',
      200_000,
      'steps',
    ]);
  });
}

test('the limits that hold without a word end a loop of 10^12', async () => {
  const parts = ['[chat template]', TEMPLATE_LIMITS.steps, 'steps'];
  await raises(() => render(loop(loop(loop('x'))), NO_CLOCK), 'FORMAT', parts);
  await raises(() => renderChat('{{ range(1000000000) }}', []), 'FORMAT', [
    ...parts,
    4_000_000_004,
  ]);
});

const OTHERS: readonly [name: string, template: string, parts: (string | number)[]][] = [
  ['a text doubled', LONG.replace('20', '99'), [TEMPLATE_LIMITS.textLength, 2 ** 24, 'text']],
  ['a text doubled by ~', LONG.replace('20', '99').replaceAll('+', '~'), [2 ** 24, 'text']],
  ['an output doubled', `${LONG}{{ ns.text }}${times(4, '{{ ns.text }}')}`, ['text']],
  ['a text indented far', "{{ 'a\\nb'|indent(1000000000) }}", [2_000_000_003, 'text']],
  ['a block indented far', '{% filter indent(1000000000) %}a\nb{% endfilter %}', ['text']],
  ['a macro that calls itself', '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}', [200, 201]],
  ['a long sum', `{{ 1${times(5000, '+1')} }}`, [200, 201]],
  ['a huge template', times(300_000, 'a'), [TEMPLATE_LIMITS.templateLength, 300_000]],
  ['blanks', `{{ 1 }}${times(200_000, ' ')}`, [TEMPLATE_LIMITS.blanksInARow, 200_000]],
  ['lines', times(5000, '\n'), [TEMPLATE_LIMITS.blanksInARow, 5000]],
  ['parentheses', `{{ ${times(20_000, '(')}1${times(20_000, ')')} }}`, ['nested', 40_003]],
  ['lists', `{{ ${times(20_000, '[')}1${times(20_000, ']')} }}`, ['nested']],
  ['negations', `{{ ${times(40_000, 'not ')}1 }}`, ['nested']],
  ['conditions', times(8000, '{% if 1 %}') + times(8000, '{% endif %}'), ['nested']],
  ['alternatives', `{% if 0 %}${times(15_000, '{% elif 0 %}')}{% endif %}`, ['nested']],
];

for (const [name, template, parts] of OTHERS) {
  test(`too large or too deep: ${name}`, () => {
    return raises(() => render(template, NO_CLOCK), 'FORMAT', ['[chat template]', ...parts]);
  });
}

test('where a clock runs it ends a rendering too', () => {
  const limits = { ...TEMPLATE_LIMITS, milliseconds: -1 };
  assert.is(render('{{ 1 }}', limits), '1');
  return raises(() => render(loop('x'), limits), 'FORMAT', ['[chat template]', 'milliseconds']);
});

test('within the limits everything means what it did', () => {
  const cases: readonly [template: string, text: string][] = [
    ['{% for i in range(2, 11, 3) %}{{ i }} {% endfor %}', '2 5 8 '],
    ['{{ range(3, 0, -1) }}{{ range(3) | join("-") }}{{ range(-1)|length }}', '[3, 2, 1]0-1-20'],
    ["{% set a, b = [1, 'x'] %}{{ b ~ a }}{{ 'a' + 'b' }}{{ [1] + [2] }}", 'x1ab[1, 2]'],
    [
      "{{ 'a-b-c'.split('-', 1)[1] }}{{ 'aab'|replace('a', 'x') }}{{ 'aab'.replace('a', 'x', 1) }}",
      'b-cxxbxab',
    ],
    [
      "{{ 'abc'[1:] }}{{ 'abc'[-1] }}{{ [1, 2, 3][::-1] }}{{ 'b' in 'abc' }}{{ 1 in [1] }}",
      'bcc[3, 2, 1]truetrue',
    ],
    [
      "{{ {'b': 1, 'a': [2]} | dictsort }}{{ {'a': 1}|tojson(indent=2) }}",
      '[["a", [2]], ["b", 1]]{\n  "a": 1\n}',
    ],
    ["{% for k, v in {'a': 1}.items() if v == 1 %}{{ k }}{{ loop.last }}{% endfor %}", 'atrue'],
    ["{% set f = 'A b'.lower %}{{ f() }}{% filter upper %}x{% endfilter %}", 'a bX'],
    [
      "{% macro m(a, b='y') %}{{ a ~ b ~ varargs|length }}{% endmacro %}{{ m('x') }}{{ m(b=1, a=2) }}{{ m(*[1, 2, 3]) }}",
      'xy0210121',
    ],
    ['{% macro m() %}<{{ caller() }}>{% endmacro %}{% call m() %}x{% endcall %}', '<x>'],
    ['{% for i in [1, 2, 3] %}{% if i == 2 %}{% continue %}{% endif %}{{ i }}{% endfor %}', '13'],
    [
      "{{ [{'a': 'x'}, {'a': 'y'}] | selectattr('a', 'equalto', 'y') | map(attribute='a') | first }}",
      'y',
    ],
    [
      "{{ 'x' if none else 'y' }}{{ nobody is defined }}{{ not true }}{{ 7 // 2 }}{{ 2 ** 3 }}",
      'yfalsefalse38',
    ],
    ["{{ strftime_now('%%') }}{{ (strftime_now('%d %b %Y')|length) }}", '%11'],
  ];
  for (const [template, text] of cases) assert.is(render(template, FEW_STEPS), text, template);
});

test.run();
