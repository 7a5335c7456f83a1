import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { cutChunks, splitDocuments } from '../../bindings/cli/documents.js';
import { commandHelp } from '../../bindings/cli/help.js';
import {
  COMMON,
  type CommandSpec,
  parseOptions,
  THREADS_AND_CACHE,
} from '../../bindings/cli/options.js';
import { ProgressBar } from '../../bindings/cli/progress.js';
import { median, megabytes } from '../../bindings/cli/words.js';
import { OptionError } from '../../bindings/errors.js';

const SPEC: CommandSpec = {
  name: 'demo',
  summary: 'Does nothing.',
  usage: ['MODEL --prompt TEXT'],
  options: {
    prompt: { value: 'TEXT', help: 'text' },
    stop: { value: 'S', multiple: true, help: 'stop' },
    count: { value: 'N', short: 'n', help: 'count' },
    device: { value: 'D', help: 'device' },
    ...THREADS_AND_CACHE,
    ...COMMON,
  },
};

const throwsOption = (run: () => unknown, message: RegExp) =>
  assert.throws(
    run,
    (error: unknown) => error instanceof OptionError && message.test(error.message),
  );

test('values, switches, repeated and short options', () => {
  const options = parseOptions(SPEC, [
    'dir',
    '--prompt',
    '',
    '--stop',
    'a',
    '--stop=b',
    '-n',
    '3',
    '--json',
    '--threads',
    'auto',
  ]);
  assert.is(options.model, 'dir');
  assert.is(options.text('prompt'), '');
  assert.equal(options.texts('stop'), ['a', 'b']);
  assert.is(options.whole('count', 0), 3);
  assert.is(options.threads(), 'auto');
  assert.ok(options.has('json'));
  assert.not(options.has('help'));
  assert.is(options.text('device'), undefined);
  assert.is(options.choice('device', ['wasm']), undefined);
});

test('a value may begin with a dash', () => {
  const options = parseOptions(SPEC, ['dir', '--prompt', '- milk', '--count', '-1']);
  assert.is(options.text('prompt'), '- milk');
  assert.is(options.number('count'), -1);
});

const WRONG: [string[], RegExp][] = [
  [[], /\[demo\] expected one MODEL, came none/],
  [['a', 'b'], /expected one MODEL, came a b/],
  [['a', '--nope'], /\[demo\] no option --nope; expected --prompt, --stop/],
  [['a', '--promt', 'x'], /no option --promt; did you mean --prompt\?/],
  [['a', '--promt=x'], /did you mean --prompt\?/],
  [['a', '--prompt'], /\[demo\].*--prompt/],
  [['a', '--json=1'], /\[demo\].*--json/],
  [['a', '--prompt', '--json'], /\[demo\].*--prompt/],
];

for (const [words, message] of WRONG) {
  test(`refuses "${words.join(' ')}"`, () =>
    throwsOption(() => parseOptions(SPEC, words), message));
}

test('numbers are checked', () => {
  for (const text of ['', 'x', '1e999', 'NaN', ' ']) {
    throwsOption(() => parseOptions(SPEC, ['m', `--count=${text}`]).number('count'), /\[--count\]/);
  }
  for (const text of ['1.5', '-1', '1e17']) {
    throwsOption(() => parseOptions(SPEC, ['m', `--count=${text}`]).whole('count', 0), /whole/);
  }
  throwsOption(() => parseOptions(SPEC, ['m', '--threads', '0']).threads(), /1 or more, came "0"/);
  throwsOption(
    () => parseOptions(SPEC, ['m', '--device', 'x']).choice('device', ['a', 'b']),
    /a, b/,
  );
  throwsOption(() => parseOptions(SPEC, ['m']).required('prompt'), /\[--prompt\]/);
});

test('help names every option and needs no MODEL', () => {
  assert.ok(parseOptions(SPEC, ['--help']).has('help'));
  const help = commandHelp(SPEC);
  for (const name of Object.keys(SPEC.options)) assert.match(help, `--${name}`);
});

/** Plain lines come at once. */
const STYLE = { quietMs: 0, terminal: 'xterm' };

test('progress: a bar on a terminal, few lines elsewhere', () => {
  for (const isTTY of [true, false]) {
    const written: string[] = [];
    const bar = new ProgressBar('work', { isTTY, write: (text) => written.push(text) }, STYLE);
    for (let i = 0; i <= 1000; i++) bar.update(i, 1000);
    bar.end();
    const text = written.join('');
    assert.match(text, /work.* 100%/);
    assert.is(text.includes('\r'), isTTY);
    assert.ok(written.length < 20, `${written.length} writes`);
  }
});

test('progress: no escapes on a dumb terminal', () => {
  const written: string[] = [];
  const stream = { isTTY: true, write: (text: string) => written.push(text) };
  const bar = new ProgressBar('work', stream, { ...STYLE, terminal: 'dumb' });
  bar.update(1, 2);
  bar.end();
  assert.equal(written, ['work  50%\n']);
});

test('progress: a bar fits any width', () => {
  const line = (columns: number) => {
    let text = '';
    const stream = { isTTY: true, columns, write: (piece: string) => (text += piece) };
    new ProgressBar('compressing', stream, STYLE).update(1, 2);
    return text.replace('\r\x1b[K', '');
  };
  for (let columns = 1; columns <= 100; columns++) {
    const text = line(columns);
    assert.ok(text.length <= Math.max(1, columns - 1), `${columns} columns: ${text}`);
    if (columns > 4) assert.match(text, /50%$/);
  }
  assert.is(line(80), 'compressing [############............]  50%');
  assert.is(line(0), line(80));
  assert.is(line(22), 'compressing  50%');
});

test('progress: the time left, once it can be told', () => {
  const shown = (isTTY: boolean, ms: number, part: number, columns = 80) => {
    let text = '';
    const stream = { isTTY, columns, write: (piece: string) => (text += piece) };
    let clock = 0;
    const bar = new ProgressBar('work', stream, { ...STYLE, now: () => clock });
    clock = ms;
    bar.update(part, 1);
    return text.replace('\r\x1b[K', '').trimEnd();
  };
  for (const [ms, part, left] of [
    [1000, 0.01, ''],
    [10_000, 0, ''],
    [10_000, 0.5, ', 10 s left'],
    [60_000, 0.125, ', 7 min 0 s left'],
    [60_000, 0.0078125, ', 2 h 7 min left'],
    [60_000, 0.99, ''],
    [60_000, 1, ''],
  ] as const) {
    const number = `${Math.floor(part * 100)}%`.padStart(5);
    assert.is(shown(false, ms, part), `work${number}${left}`);
    assert.ok(shown(true, ms, part).endsWith(`]${number}${left}`), shown(true, ms, part));
  }
  for (let columns = 1; columns < 60; columns++) {
    const text = shown(true, 10_000, 0.5, columns);
    assert.ok(text.length <= Math.max(1, columns - 1), text);
  }
});

test('documents are separated by a line', () => {
  assert.equal(splitDocuments('a\nb\n<|endoftext|>\nc <|endoftext|> d\n<|endoftext|>\n\n'), [
    'a\nb',
    'c <|endoftext|> d',
  ]);
  assert.equal(splitDocuments('a\r\n<|endoftext|>\r\nb'), ['a', 'b']);
  assert.equal(splitDocuments('\n'), []);
});

test('chunks: BOS before each, or the first token given', () => {
  assert.equal(cutChunks([5, 6, 7, 8, 9], 2, 1), [
    [1, 5, 6],
    [1, 7, 8],
    [1, 9],
  ]);
  assert.equal(cutChunks([5, 6, 7, 8, 9], 2, null), [
    [5, 6],
    [7, 8],
  ]);
  assert.equal(cutChunks([], 2, 1), []);
});

test('words', () => {
  assert.is(median([3, 1, 2]), 2);
  assert.is(median([4, 1, 2, 3]), 2.5);
  assert.is(megabytes(1234567), '1.2 MB');
  assert.is(megabytes(4e9), '4.00 GB');
});

test.run();
