import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeTinyLlama } from '../support/tiny_model.js';
import { runCli, startCli } from './run_cli.js';

const test = suite<{ dir: string; model: string }>('commands');

test.before(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-cli-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'));
});

test.after(({ dir }) => rm(dir, { recursive: true }));

/** Runs a command that must succeed and print one JSON object. */
async function runJson(words: string[], input = '') {
  const { code, stdout, stderr } = await runCli([...words, '--json'], input);
  assert.is(code, 0, stderr);
  assert.is(stdout.split('\n').length, 2, 'one line');
  return JSON.parse(stdout);
}

const RUNTIME_KEYS = ['device', 'simd', 'threads'];

test('generate --json', async ({ model }) => {
  const words = ['generate', model, '--prompt', 'the hand', '--seed', '3', '--max-tokens', '9'];
  const result = await runJson(words);
  assert.is(result.prompt, 'the hand');
  assert.is(result.promptTokens[0], 1);
  assert.is(result.tokens.length, result.finishReason === 'length' ? 9 : result.tokens.length);
  assert.type(result.text, 'string');
  assert.equal(Object.keys(result.timings).sort(), [
    'decodeTokensPerSecond',
    'firstTokenMs',
    'loadMs',
    'prefillTokensPerSecond',
  ]);
  assert.is(result.device, 'wasm');
  assert.ok(result.threads >= 1);
  assert.ok(['baseline', 'relaxed'].includes(result.simd));
  const again = await runJson([...words, '--threads', '1']);
  assert.equal(again.tokens, result.tokens);
});

test('generate streams text and closes with a line on stderr', async ({ model }) => {
  const words = ['generate', model, '--prompt', 'the', '--temperature', '0', '--max-tokens', '12'];
  const { text } = await runJson(words);
  const { code, stdout, stderr } = await runCli(words);
  assert.is(code, 0, stderr);
  assert.is(stdout, `${text}\n`);
  assert.match(stderr, /tokens\/s · .*MB · 32\.00 bits per weight · \d+ threads? · \w+ SIMD\n$/);
});

test('generate --max-tokens 0 only reads the prompt', async ({ model }) => {
  const result = await runJson(['generate', model, '--prompt', '', '--max-tokens', '0']);
  assert.equal(result.promptTokens, [1]);
  assert.equal(result.tokens, []);
  assert.is(result.text, '');
  assert.is(result.finishReason, 'length');
});

test('generate --chat takes turns from stdin, and each knows those before', async ({ dir }) => {
  const model = await writeTinyLlama(join(dir, 'chat'));
  const template = '{% for m in messages %}{{ m.role }} {{ m.content }} {% endfor %}';
  await writeFile(join(model, 'chat_template.jinja'), template);
  const words = ['generate', model, '--chat', '--system', 'be kind', '--max-tokens', '4', '--json'];
  const { code, stdout, stderr } = await runCli(
    [...words, '--temperature', '0'],
    'hello\n\nworld\n',
  );
  assert.is(code, 0, stderr);
  const [first, second] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.is(first.prompt, 'hello');
  assert.is(second.prompt, 'world');
  assert.ok(second.promptTokens.length > first.promptTokens.length + 4);
  // The last space of a turn may join the next word.
  const held = first.promptTokens.slice(0, -1);
  assert.equal(second.promptTokens.slice(0, held.length), held);
  const asked = await runJson([...words.slice(0, -1), '--temperature', '0', '--prompt', 'hello']);
  assert.equal(asked.tokens, first.tokens);
  await writeFile(join(model, 'chat_template.jinja'), `{{ mood }} ${template}`);
  const withVariables = async (json: string) =>
    runCli([...words, '--prompt', 'hello', '--chat-options', json]);
  const { promptTokens } = JSON.parse((await withVariables('{"variables":{"mood":"sad"}}')).stdout);
  const plain = JSON.parse((await withVariables('{}')).stdout);
  assert.ok(promptTokens.length > plain.promptTokens.length);
  const misspelt = await withVariables('{"variable":{}}');
  assert.is(misspelt.code, 2);
  assert.match(misspelt.stderr, /\[chat\] no option variable; did you mean variables\?/);
});

test('a model without a chat template cannot chat', async ({ model }) => {
  const { code, stderr } = await runCli(['generate', model, '--chat', '--prompt', 'hello']);
  assert.is(code, 1);
  assert.match(stderr, 'chat template');
});

test('inspect --json', async ({ model }) => {
  const report = await runJson(['inspect', model]);
  assert.equal(Object.keys(report), [
    'architecture',
    'parameters',
    'bitsPerWeight',
    'fileBytes',
    'residentBytes',
    'tensors',
  ]);
  assert.is(report.architecture, 'LlamaForCausalLM');
  assert.is(report.bitsPerWeight, 32);
  assert.equal(Object.keys(report.residentBytes).sort(), ['arena', 'kvCache', 'weights']);
  for (const bytes of Object.values(report.residentBytes)) assert.ok((bytes as number) > 0);
  const down = report.tensors.find(({ name }: { name: string }) =>
    name.includes('1.mlp.down_proj'),
  );
  assert.equal(down.shape, [64, 172]);
  assert.is(down.scheme, 'f32');
  assert.is(down.bits, 32);
  assert.is(down.bytes, 64 * 172 * 4);
  assert.is(down.path, 'model.layers.1.mlp.down_proj');
  assert.is(down.bitsPerWeight, 32);
  const { stdout } = await runCli(['inspect', model]);
  assert.match(stdout, 'memory needed');
  assert.not.match(stdout, 'down_proj');
});

test('inspect --tensors: a line for each, and totals that are their sums', async (context) => {
  const { dir, model } = context;
  const packed = join(dir, 'inspected');
  await runJson(['compress', model, packed, '--scheme', 'int4']);
  const { tensors, bitsPerWeight, parameters, residentBytes } = await runJson(['inspect', packed]);
  const sum = (of: (tensor: { [key: string]: number; shape: never }) => number) =>
    tensors.reduce((total: number, tensor: never) => total + of(tensor), 0);
  assert.is((8 * sum(({ bytes }) => bytes!)) / parameters, bitsPerWeight);
  // Each begins at a multiple of 64.
  const aligned = sum(({ residentBytes }) => Math.ceil(residentBytes! / 64) * 64);
  assert.is(aligned, residentBytes.weights);
  const { stdout } = await runCli(['inspect', packed, '--tensors']);
  const lines = stdout.split('\n');
  assert.match(lines[0]!, /^path +shape +format +bits per weight +on disk +in memory$/);
  const down = lines.find((line) => line.startsWith('model.layers.1.mlp.down_proj'));
  assert.match(down!, /\[64, 172\] +int4 +5\.02 +6\.9 kB +7\.0 kB$/);
  assert.match(stdout, /formats +int4 \(15\), f32 \(5\)/);
});

test('compress --dry-run says what would be written, and writes nothing', async (context) => {
  const { dir, model } = context;
  const before = (await readdir(dir)).sort();
  const recipe = join(dir, 'dry.json');
  const out = join(dir, 'dry');
  const words = ['compress', model, '-o', out, '--recipe', recipe];
  await writeFile(
    recipe,
    JSON.stringify({
      global: { type: 'linear', dtype: 'int4' },
      overrides: [
        { kind: 'mlp', type: 'palettize', nbits: 3, granularity: 'per_tensor' },
        { match: '*k_proj', type: 'none' },
      ],
    }),
  );
  const plan = await runJson([...words, '--dry-run']);
  assert.equal((await readdir(dir)).sort(), [...before, 'dry.json'].sort());
  const { stdout } = await runCli([...words.slice(0, 2), ...words.slice(4), '--dry-run']);
  const down = stdout.split('\n').find((line) => line.startsWith('model.layers.0.mlp.down_proj'));
  assert.match(down!, /\[64, 172\] +f32 +palettize3-tensor-unscaled +44\.0 kB +4\.6 kB$/);
  assert.match(stdout, /\n[\d,]+ weights: .* -> .*, \d+\.\d\d bits per weight\n$/);

  const written = await runJson(words);
  assert.is(plan.parameters, written.parameters);
  assert.is(plan.bitsPerWeight, written.bitsPerWeight);
  const report = await runJson(['inspect', out]);
  type Row = Record<string, unknown>;
  assert.equal(
    plan.tensors.map(({ path, shape, to, bytesAfter }: Row) => [path, shape, to, bytesAfter]),
    report.tensors.map(({ path, shape, scheme, bytes }: Row) => [path, shape, scheme, bytes]),
  );
  const again = await runCli(['compress', out, '--dry-run']);
  assert.is(again.code, 1);
  assert.match(again.stderr, 'expected float weights');
});

test('compress, then inspect what came out', async ({ dir, model }) => {
  for (const out of [join(dir, 'small'), join(dir, 'small.safetensors')]) {
    const written = await runJson(['compress', model, '-o', out, '--scheme', 'int4']);
    const report = await runJson(['inspect', out]);
    assert.is(report.fileBytes, written.fileBytes);
    assert.is(report.parameters, written.parameters);
    assert.is(report.bitsPerWeight, written.bitsPerWeight);
    assert.ok(report.bitsPerWeight > 4.5 && report.bitsPerWeight < 5.5);
    const down = report.tensors.find(({ name }: { name: string }) => name.includes('1.mlp.down'));
    assert.equal(down.shape, [64, 172]);
    assert.is(down.scheme, 'int4');
    assert.is(down.bits, 4);
    assert.is(down.bytes, 64 * (6 * 16 + 6 * 2));
    const { tokens } = await runJson(['generate', out, '--prompt', 'a', '--max-tokens', '3']);
    assert.ok(tokens.length <= 3);
  }
  const again = await runCli(['compress', model, '-o', join(dir, 'small')]);
  assert.is(again.code, 2);
  assert.match(again.stderr, '--force');
  await runJson(['compress', model, '-o', join(dir, 'small'), '--force', '--scheme', 'int8']);
});

test('compress --recipe', async ({ dir, model }) => {
  const recipe = join(dir, 'recipe.json');
  const compress = ['compress', model, '-o', join(dir, 'by-recipe'), '--recipe', recipe];
  await writeFile(recipe, '{ "global": { "type": "prune" } }');
  const pruned = await runCli(compress);
  assert.is(pruned.code, 2);
  assert.match(pruned.stderr, 'global.mode');
  await writeFile(recipe, '{ "global": ');
  assert.is((await runCli(compress)).code, 2);
  await writeFile(recipe, '{ "global": { "type": "linear", "dtype": "int8" } }');
  const { bitsPerWeight } = await runJson(compress);
  assert.ok(bitsPerWeight > 8.5 && bitsPerWeight < 9.5);
});

test('decompress writes floats that any program reads', async ({ dir, model }) => {
  const packed = join(dir, 'packed');
  await runJson(['compress', model, packed, '--scheme', 'int4-asym']);
  const written = await runJson(['decompress', packed, join(dir, 'floats')]);
  assert.equal(Object.keys(written), [
    'path',
    'fileBytes',
    'parameters',
    'bitsPerWeight',
    'rounded',
  ]);
  assert.is(written.bitsPerWeight, 32);
  assert.is(written.rounded, 0);
  const half = ['decompress', packed, '-o', join(dir, 'half.safetensors'), '--dtype', 'f16'];
  const { code, stdout, stderr } = await runCli(half);
  assert.is(code, 0, stderr);
  assert.match(stdout, /16\.00 bits per weight, .* s; \d+ of \d+ weights rounded to f16\n$/);
  const again = await runCli(half);
  assert.is(again.code, 2);
  assert.match(again.stderr, '--force');
  for (const [words, message] of [
    [['decompress', packed], `halfbyte decompress ${packed} -o packed-float`],
    [['decompress', packed, 'a', '-o', 'b'], 'expected one OUT, came a and --out b'],
    [['decompress', packed, 'a', '--dtype', 'f64'], 'f32, f16, bf16'],
  ] as const) {
    const wrong = await runCli(words);
    assert.is(wrong.code, 2);
    assert.ok(wrong.stderr.includes(message), wrong.stderr);
  }
  const float = await runCli(['decompress', model, join(dir, 'never')]);
  assert.is(float.code, 1);
  assert.match(float.stderr, 'floats already');
});

test('eval --json', async ({ dir, model }) => {
  const text = join(dir, 'text.txt');
  await writeFile(text, 'the hand and the sand\n<|endoftext|>\nwith a hat on his head\n');
  const whole = await runJson(['eval', model, '--text', text]);
  assert.equal(Object.keys(whole), ['nll', 'perplexity', 'tokens', 'contextLength']);
  assert.is(whole.contextLength, 128);
  assert.ok(Math.abs(Math.log(whole.perplexity) - whole.nll) < 1e-9);
  const chunked = await runJson(['eval', model, '--text', text, '--context', '4']);
  assert.is(chunked.tokens, whole.tokens);
  assert.is(chunked.contextLength, 4);
  const reference = await runJson(['eval', model, '--text', text, '--device', 'reference']);
  assert.ok(Math.abs(reference.nll - whole.nll) < 1e-4, `${reference.nll} and ${whole.nll}`);
  assert.is((await runCli(['eval', model, '--text', text, '--context', '129'])).code, 2);
  assert.is((await runCli(['eval', model, '--text', join(dir, 'none')])).code, 1);
});

test('eval: a text as long as the context, BOS besides', async ({ dir, model }) => {
  const text = join(dir, 'long.txt');
  await writeFile(text, 'the '.repeat(200));
  const { tokens } = await runJson(['eval', model, '--text', text]);
  assert.ok(tokens >= 200);
});

test('bench --json', async ({ model }) => {
  const sizes = ['--prompt-tokens', '20', '--decode-tokens', '7', '--trials', '2'];
  const report = await runJson(['bench', model, ...sizes]);
  assert.equal(Object.keys(report).sort(), [
    'decodeTokens',
    'decodeTokensPerSecond',
    'device',
    'firstTokenMs',
    'loadMs',
    'peakMemoryBytes',
    'prefillTokensPerSecond',
    'promptTokens',
    ...RUNTIME_KEYS.slice(1),
    'trials',
  ]);
  assert.equal([report.promptTokens, report.decodeTokens, report.trials], [20, 7, 2]);
  assert.ok(report.peakMemoryBytes > 1e7);
  assert.is((await runCli(['bench', model, '--prompt-tokens', '128'])).code, 2);
});

test('help and version', async () => {
  const help = await runCli(['--help']);
  assert.is(help.code, 0);
  for (const name of ['generate', 'compress', 'decompress', 'eval', 'inspect', 'bench']) {
    assert.match(help.stdout, name);
    const { code, stdout } = await runCli([name, '--help']);
    assert.is(code, 0);
    assert.match(stdout, `halfbyte ${name} MODEL`);
  }
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  assert.is((await runCli(['--version'])).stdout, `${version}\n`);
});

test('a reader that leaves early is no error', async ({ model }) => {
  const { child, done } = startCli(['inspect', model]);
  child.stdout.destroy();
  const { stderr } = await done;
  assert.is(stderr, '');
});

test('Ctrl-C ends a run with 130 and no stack', async ({ model }) => {
  const { child, done } = startCli(['generate', model, '--chat', '--max-tokens', '3'], null);
  const long = startCli(['bench', model, '--prompt-tokens', '9', '--trials', '1000000']);
  for (const { child: one } of [{ child }, long]) setTimeout(() => one.kill('SIGINT'), 1500);
  for (const { code, stderr } of await Promise.all([done, long.done])) {
    assert.is(code, 130, stderr);
    assert.match(stderr, 'halfbyte: interrupted');
    assert.not.match(stderr, /\n {4}at /);
  }
});

test('Ctrl-C while compressing removes the temporary files', async ({ dir }) => {
  const model = await writeTinyLlama(join(dir, 'big'), { hiddenSize: 256, intermediateSize: 4096 });
  const before = (await readdir(dir)).sort();
  const out = join(dir, 'interrupted');
  const { child, done } = startCli(['compress', model, '-o', out, '--scheme', 'int4-asym']);
  let ended = false;
  const outcome = done.finally(() => {
    ended = true;
  });
  while (!ended && !(await readdir(dir)).some((name) => name.startsWith('interrupted.'))) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  child.kill('SIGINT');
  const { code, stderr } = await outcome;
  assert.is(code, 130, stderr);
  assert.equal((await readdir(dir)).sort(), before);
});

test.run();
