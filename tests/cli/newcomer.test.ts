// What somebody types who does not know the program yet.

import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { generate } from '../../bindings/cli/generate.js';
import type { GenerateOptions } from '../../bindings/generate.js';
import type { SessionOptions } from '../../bindings/load.js';
import { writeTinyLlama } from '../support/tiny_model.js';
import { runCli } from './run_cli.js';

const test = suite<{ dir: string; model: string }>('newcomer');

test.before(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-newcomer-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'));
});

test.after(({ dir }) => rm(dir, { recursive: true }));

test('nothing: the three commands to begin with', async () => {
  const { code, stdout, stderr } = await runCli([]);
  assert.is(code, 2);
  assert.is(stdout, '');
  const lines = stderr.split('\n').filter((line) => line.startsWith('  halfbyte '));
  assert.equal(
    lines.map((line) => line.trim().split(' ').slice(0, 3).join(' ')),
    ['halfbyte generate MODEL', 'halfbyte generate MODEL', 'halfbyte compress MODEL'],
  );
  assert.match(stderr, /halfbyte: expected a command, came none; `halfbyte help`/);
});

test('help, of all and of one; -V', async () => {
  const whole = await runCli(['help']);
  assert.is(whole.code, 0);
  assert.is(whole.stdout, (await runCli(['--help'])).stdout);
  const one = await runCli(['help', 'compress']);
  assert.is(one.code, 0);
  assert.is(one.stdout, (await runCli(['compress', '--help'])).stdout);
  assert.is((await runCli(['help', 'compres'])).code, 2);
  assert.is((await runCli(['-V'])).stdout, (await runCli(['--version'])).stdout);
});

const MISSPELT: [string[], RegExp][] = [
  [['genrate', 'MODEL'], /no command genrate; did you mean generate\?/],
  [['run', 'MODEL'], /no command run; expected generate, compress, decompress, eval/],
  [['generate', 'MODEL', '--promt', 'a'], /no option --promt; did you mean --prompt\?/],
  [['generate', 'MODEL', '--max_tokens', '3'], /--max_tokens; did you mean --max-tokens\?/],
  [['generate', 'MODEL', '--grammar', 'g'], /no option --grammar; expected --prompt, --echo/],
  [['generate', 'MODEL', '--prompt', 'a', '--chat', '--echo'], /--chat has no --echo/],
  [['generate', 'MODEL', '--prompt', 'a', '--device', 'webgpu'], /expected wasm, auto, reference/],
  [['generate', 'MODEL', '--prompt', 'a', '--logit-bias', '5'], /--logit-bias.*42=-1\.5.*"5"/],
  [['generate', 'MODEL', '--prompt', 'a', '--logit-bias', '5=x'], /--logit-bias.*"5=x"/],
  [['generate', 'MODEL', '--prompt', 'a', '--chat-options', '{}'], /--chat-options needs --chat/],
  [['generate', 'MODEL', '--chat', '--chat-options', '{'], /\[--chat-options\] expected JSON/],
  [['compress', 'models/tiny/'], /halfbyte compress models\/tiny\/ -o tiny-small/],
  [['compress', 'a b.safetensors'], /halfbyte compress "a b.safetensors" -o "a b-small"/],
];

for (const [words, message] of MISSPELT) {
  test(`says what to type instead: ${words.join(' ')}`, async () => {
    const { code, stdout, stderr } = await runCli(words);
    assert.is(code, 2, stderr);
    assert.is(stdout, '');
    assert.match(stderr, message);
  });
}

test('what help offers for --device works', async ({ model }) => {
  const { help } = generate.spec.options.device!;
  const devices = help.replace(/ \(.*/, '').split(', ');
  assert.ok(devices.length > 1);
  for (const device of devices) {
    const words = ['generate', model, '--prompt', 'a', '--max-tokens', '1', '--device', device];
    const { code, stderr } = await runCli(words);
    assert.is(code, 0, stderr);
  }
});

test('doctor says what a newer Node brings', async () => {
  const { stdout } = await runCli(['doctor']);
  const { deno, bun, node } = process.versions as Record<string, string | undefined>;
  const old = !deno && !bun && Number.parseInt(node!, 10) < 22;
  assert.is(stdout.includes('Node 22 and newer run prefill 2.5 times as fast'), old, stdout);
});

/** The flags of all that the library's options of generating can say; null: not for a command line. */
const FLAGS: Readonly<Record<keyof (GenerateOptions & SessionOptions), string | null>> = {
  maxTokens: 'max-tokens',
  stop: 'stop',
  temperature: 'temperature',
  topK: 'top-k',
  topP: 'top-p',
  minP: 'min-p',
  repetitionPenalty: 'repetition-penalty',
  logitBias: 'logit-bias',
  seed: 'seed',
  contextLength: 'context',
  chat: 'chat-options',
  // A bit for every token of the vocabulary, which a program changes between tokens.
  allowedTokens: null,
  // Ctrl-C, the bar, and the one session of a run.
  signal: null,
  onProgress: null,
  session: null,
};

test('every option of generating has a flag', () => {
  for (const flag of Object.values(FLAGS)) {
    assert.ok(flag === null || Object.hasOwn(generate.spec.options, flag), `--${flag}`);
  }
});

test('the flags reach the sampler and the session', async ({ model }) => {
  const run = async (...words: string[]) => {
    const all = [
      'generate',
      model,
      '--prompt',
      'the hen',
      '--temperature',
      '0',
      '--json',
      ...words,
    ];
    const { code, stdout, stderr } = await runCli(all);
    assert.is(code, 0, stderr);
    return JSON.parse(stdout) as { tokens: number[]; promptTokens: number[] };
  };
  const { tokens, promptTokens } = await run('--max-tokens', '8');
  const first = tokens[0]!;
  const without = await run('--max-tokens', '8', '--logit-bias', `${first}=-Infinity`);
  assert.not.ok(without.tokens.includes(first));
  const only = await run('--max-tokens', '3', '--logit-bias', '70=1e9', '--logit-bias=71=1');
  assert.equal(only.tokens, [70, 70, 70]);
  const penalized = ['--logit-bias', '70=1e3', '--logit-bias', '71=999'];
  const varied = await run('--max-tokens', '2', ...penalized, '--repetition-penalty', '900');
  assert.is(new Set(varied.tokens).size, 2);
  const short = await run('--context', String(promptTokens.length + 1));
  assert.is(short.tokens.length, 2);
  const words = ['generate', model, '--prompt', 'the hen', '--context', '1000000'];
  assert.match((await runCli(words)).stderr, /contextLength.*1000000/);
});

test('a directory behind a URL that leads elsewhere, as the hub does', async ({ dir, model }) => {
  const files = await serveFiles(model);
  const hub = createServer(({ url }, response) => {
    const file = url!.split('/resolve/main/')[1];
    response.writeHead(302, { Location: `${files.origin}/${file}?signature=x` }).end();
  });
  const { origin, close } = await listening(hub);
  try {
    const url = `${origin}/some/model/resolve/main`;
    const words = ['--prompt', 'the hen', '--temperature', '0', '--max-tokens', '5', '--json'];
    const there = await runCli(['generate', url, ...words]);
    assert.is(there.code, 0, there.stderr);
    const here = await runCli(['generate', model, ...words]);
    assert.equal(JSON.parse(there.stdout).tokens, JSON.parse(here.stdout).tokens);
    const out = join(dir, 'from-url');
    const compressed = await runCli(['compress', url, '-o', out]);
    assert.is(compressed.code, 0, compressed.stderr);
    assert.is((await runCli(['inspect', out])).code, 0);
  } finally {
    close();
    files.close();
  }
});

/** A server of the files of a directory, by ranges. */
async function serveFiles(directory: string) {
  return listening(
    createServer(async ({ url, headers }, response) => {
      const path = join(directory, new URL(url!, 'http://localhost').pathname);
      const bytes = await readFile(path).catch(() => null);
      if (bytes === null) return void response.writeHead(404).end();
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(headers.range ?? '') ?? [];
      const part = bytes.subarray(Number(first ?? 0), Number(last ?? bytes.length) + 1);
      const range = `bytes ${first}-${Number(first) + part.length - 1}/${bytes.length}`;
      response.writeHead(first ? 206 : 200, first ? { 'Content-Range': range } : {}).end(part);
    }),
  );
}

async function listening(server: Server) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { origin: `http://127.0.0.1:${port}`, close };
}

test('--prompt - reads stdin; --echo prints it', async ({ model }) => {
  const words = ['generate', model, '--temperature', '0', '--max-tokens', '5', '--prompt'];
  const { stdout } = await runCli([...words, 'the hen']);
  const echoed = await runCli([...words, '-', '--echo'], 'the hen\n');
  assert.is(echoed.code, 0, echoed.stderr);
  assert.is(echoed.stdout, `the hen${stdout}`);
  const json = JSON.parse((await runCli([...words, '-', '--json'], 'the\nhen\r\n')).stdout);
  assert.is(json.prompt, 'the\nhen');
});

test.run();
