// Chat templates, drawn from a grammar: what real ones use, and now and then what none should.

import type { TestRandom } from '../support/random.js';
import { oneIn, pick } from './subject.js';

const SIZES = ['0', '3', '7', '50', '1, 9, 2', '9, 1, -2'];
const ODD_SIZES = ['2000', '1000000000', '-1', '1.5', '"a"', 'messages', '0, 9, 0'];
const ODD_STATEMENTS = [
  '{',
  '%}',
  '\ud800',
  '{% raw %}',
  '{% break %}',
  '{% continue %}',
  '{% endfor %}',
  '{% include "x" %}',
  '{% nonsense %}',
  '{{ raise_exception("no") }}',
  '{{ raise_exception("") }}',
  '{{ raise_exception(messages) }}',
  '{% macro r(a) %}{{ a }}{{ r(a ~ a) }}{% endmacro %}{{ r("ab") }}',
  '{% call(u) m() %}x{% endcall %}',
];
const ODD_EXPRESSIONS = [
  'nonsense(1)',
  "'it''s'",
  'messages[99]',
  'messages["role"]',
  'messages[::0]',
  'none',
  '1e9',
  '"x" * 1000000000',
  '(1 / 0)',
  '(1).__class__',
  '(messages|nonsense)',
  '(x is nonsense)',
  'messages.constructor("x")',
  'cycler("a")',
  'loop.__proto__',
];
const TEXT_FILTERS = [
  'trim',
  'upper',
  'capitalize',
  'replace("a", "aa")',
  'indent(4)',
  'tojson',
  'e',
];
const LIST_FILTERS = ['reverse', 'list', 'unique', 'sort', 'batch(2)', 'map("string")', 'select'];
const TEXT_METHODS = [
  'strip()',
  'upper()',
  'replace("", "aaaa")',
  'title()',
  'rstrip("a")',
  'lower()',
];
const TESTS = ['defined', 'none', 'string', 'mapping', 'iterable', 'not number', 'not defined'];
const MESSAGE_LISTS = [
  'messages',
  'messages[1:]',
  'messages[::-1]',
  'messages[:-1]',
  '(messages|selectattr("role", "equalto", "user")|list)',
  '(messages|rejectattr("content")|list)',
];

type Kind = 'text' | 'number' | 'truth' | 'list';

/** A real template's frame, then statements at will. */
export function drawTemplate(random: TestRandom): string {
  const body = statements(random, 0);
  if (oneIn(random, 3)) return body;
  const turn = '{{ message["role"] }}: {{ message["content"] }}\n';
  return `{{ bos_token }}{% for message in messages %}${turn}${body}{% endfor %}`;
}

function statements(random: TestRandom, depth: number): string {
  const count = 1 + random.below(depth > 2 ? 1 : 3);
  return Array.from({ length: count }, () => statement(random, depth)).join('');
}

function tag(random: TestRandom, text: string): string {
  const dash = () => pick(random, ['', '', '-']);
  return `{%${dash()} ${text} ${dash()}%}`;
}

function statement(random: TestRandom, depth: number): string {
  const block = (begin: string, end: string) => {
    const inner = depth > 4 ? 'x' : statements(random, depth + 1);
    return `${tag(random, begin)}${inner}${tag(random, end)}`;
  };
  const e = (kind: Kind) => expression(random, kind, depth);
  const each = () => `for x in ${e('list')}`;
  const list: readonly (() => string)[] = [
    () => pick(random, ['text ', '<|im_start|>', '\n', '{# comment #}']),
    () => `{{ ${e('text')} }}`,
    () => `{{- ${e('number')} -}}`,
    () => block(each(), 'endfor'),
    () => block(`for x in range(${size(random)})`, 'endfor'),
    () => block(`${each()} if ${e('truth')}`, 'endfor'),
    () => `${tag(random, 'for k, v in messages[0]|items')}{{ k }}${tag(random, 'endfor')}`,
    () => block(`if ${e('truth')}`, 'endif'),
    () => `${block(`if ${e('truth')}`, `elif ${e('truth')}`)}${tag(random, 'endif')}`,
    () => tag(random, `set x = ${e('text')}`),
    () => `{% set ns = namespace(x=0) %}${tag(random, `set ns.x = ${e('number')}`)}{{ ns.x }}`,
    () => block('set x', 'endset'),
    () => `${block('macro m(a, b=2)', 'endmacro')}{{ m(${e('text')}) }}`,
    () => block('filter upper', 'endfilter'),
    () => block('generation', 'endgeneration'),
    () => block('if add_generation_prompt', 'endif'),
  ];
  return oneIn(random, 30) ? pick(random, ODD_STATEMENTS) : pick(random, list)();
}

function size(random: TestRandom): string {
  return pick(random, oneIn(random, 8) ? ODD_SIZES : SIZES);
}

/** Of that kind, mostly. */
function expression(random: TestRandom, kind: Kind, depth: number): string {
  if (oneIn(random, 60)) return pick(random, ODD_EXPRESSIONS);
  const e = (wanted: Kind) => expression(random, wanted, depth + 1);
  const [simple, compound] = FORMS[kind](random, e);
  return depth > 4 || oneIn(random, 3) ? pick(random, simple) : pick(random, compound)();
}

type Forms = readonly [simple: readonly string[], compound: readonly (() => string)[]];

const FORMS: Readonly<Record<Kind, (random: TestRandom, e: (kind: Kind) => string) => Forms>> = {
  text: (random, e) => [
    ['"a"', 'bos_token', 'messages[0].content', 'messages[-1]["role"]', '"\\n"', '(x|string)'],
    [
      () => `(${e('text')} ~ ${e('number')})`,
      () => `(${e('text')} + ${e('text')})`,
      () => `(${e('text')}|${pick(random, TEXT_FILTERS)})`,
      () => `(${e('text')}).${pick(random, TEXT_METHODS)}`,
      () => `(${e('list')}|join(", "))`,
      () => `(${e('list')}|tojson(indent=2))`,
      () => `(${e('text')} if ${e('truth')} else ${e('text')})`,
      () => `(${e('text')})[${pick(random, ['0', '1:', '::-1', ':2'])}]`,
      () => 'strftime_now("%Y")',
    ],
  ],
  number: (random, e) => [
    ['1', '-1', '1.5', '7', 'messages|length'],
    [
      () => `(${e('number')} ${pick(random, ['+', '-', '*', '%'])} ${e('number')})`,
      () => `(${e('list')}|length)`,
      () => `(${e('text')}|length)`,
      () => `(${e('text')}|int)`,
      () => `(${e('number')}|abs)`,
    ],
  ],
  truth: (random, e) => [
    ['true', 'add_generation_prompt', 'tools', `(x is ${pick(random, TESTS)})`],
    [
      () => `(${e('number')} ${pick(random, ['<', '>=', '=='])} ${e('number')})`,
      () => `(${e('text')} ${pick(random, ['in', 'not in', '==', '!='])} ${e('text')})`,
      () => `(${e('truth')} ${pick(random, ['and', 'or'])} ${e('truth')})`,
      () => `(not ${e('truth')})`,
      () => `(${e('text')}).startswith("u")`,
    ],
  ],
  list: (random, e) => [
    MESSAGE_LISTS,
    [
      () => `(range(${size(random)})|list)`,
      () => `[${e('text')}, ${e('number')}]`,
      () => `(${e('list')} + ${e('list')})`,
      () => `(${e('text')}).split("a")`,
      () => `(${e('list')}|${pick(random, LIST_FILTERS)})`,
      () => `[{"a": ${e('text')}, "b": ${e('list')} }]`,
    ],
  ],
};
