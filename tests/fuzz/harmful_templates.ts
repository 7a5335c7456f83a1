// Chat templates that somebody would write to stop a process.

/** Nests and lengths that no grammar reaches by chance. */
export const HARMFUL: readonly string[] = [
  '{% for a in range(1000000000) %}{% endfor %}',
  `${'{% for x in range(40) %}'.repeat(8)}x${'{% endfor %}'.repeat(8)}`,
  `${'{% if true %}'.repeat(20_000)}x${'{% endif %}'.repeat(20_000)}`,
  `{{ ${'('.repeat(50_000)}1${')'.repeat(50_000)} }}`,
  `{{ ${'not '.repeat(50_000)}1 }}`,
  `{{ ${'['.repeat(50_000)}${']'.repeat(50_000)} }}`,
  `{{ 1${' + 1'.repeat(50_000)} }}`,
  '{% macro m(a) %}{{ m(a) }}{% endmacro %}{{ m(1) }}',
  '{% set ns = namespace(x="ab") %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}{{ ns.x }}',
  '{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}',
  '{{ range(100000000)|list|length }}',
  '{{ messages|tojson(indent=1000000000) }}',
  '{{ ("a" * 1000)|replace("a", "a" * 1000)|replace("a", "a" * 1000) }}',
  '{{ range(5000)|list|join("x" * 100000) }}',
  '{{ "x"|indent(1000000000) }}',
  '{{ messages[0].content.split("").join("") }}',
];
