// `halfbyte eval` of several models: the figures are those of the definition, whatever they are printed as.

import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Comparison, comparisonPage, comparisonTable } from '../../bindings/cli/comparison.js';
import { cutChunks, splitDocuments } from '../../bindings/cli/documents.js';
import { compressModel } from '../../bindings/compress/index.js';
import { loadModel, type Model } from '../../bindings/index.js';
import { divergence, likeliest, logProbability } from '../../bindings/session/log_probability.js';
import { TestRandom } from '../support/random.js';
import { writeTinyLlama } from '../support/tiny_model.js';
import { runCli } from './run_cli.js';

const TEXT = `the hand and the sand${' in a hat on his head'.repeat(4)}
<|endoftext|>
with a hat on his head and more
`;
const CONTEXT = 45;

const test = suite<{ dir: string; float: string; int8: string; int3: string; text: string }>(
  'eval',
);

test.before(async (context) => {
  const dir = await mkdtemp(join(tmpdir(), 'halfbyte-eval-'));
  const float = await writeTinyLlama(join(dir, 'float'));
  for (const scheme of ['int8', 'int3']) await compressModel(float, join(dir, scheme), { scheme });
  const text = join(dir, 'text.txt');
  await writeFile(text, TEXT);
  Object.assign(context, { dir, float, text, int8: join(dir, 'int8'), int3: join(dir, 'int3') });
});

test.after(({ dir }) => rm(dir, { recursive: true }));

async function compare(words: readonly string[]): Promise<Comparison> {
  const { code, stdout, stderr } = await runCli(['eval', ...words, '--json']);
  assert.is(code, 0, stderr);
  return JSON.parse(stdout);
}

const softmax = (logits: Float32Array) => {
  const weights = Array.from(logits, (logit) => Math.exp(logit));
  const sum = weights.reduce((a, b) => a + b);
  return weights.map((weight) => weight / sum);
};

/** Probabilities of every predicted token's place, from prompts of their own, and the tokens. */
async function distributions(model: Model) {
  const rows: { p: number[]; token: number }[] = [];
  const { tokenizer } = model;
  for (const document of splitDocuments(TEXT)) {
    const tokens = tokenizer.encode(document, { addSpecialTokens: false });
    for (const chunk of cutChunks(tokens, CONTEXT, tokenizer.bosTokenId)) {
      for (let i = 1; i < chunk.length; i++) {
        const session = await model.createSession();
        const p = softmax(await session.prefill(chunk.slice(0, i)));
        rows.push({ p, token: chunk[i]! });
        await session.dispose();
      }
    }
  }
  return rows;
}

const near = (came: number, expected: number, what: string) =>
  assert.ok(
    Math.abs(came - expected) <= 1e-9 + 1e-6 * Math.abs(expected),
    `${what}: ${came}, ${expected}`,
  );

test('NLL, KL and agreement are those of their definitions', async (context) => {
  const { float, int8, int3, text } = context;
  const { tokens, contextLength, models } = await compare([
    ...[float, int8, int3],
    ...['--text', text, '--context', `${CONTEXT}`],
  ]);
  assert.is(contextLength, CONTEXT);
  const all = [];
  for (const location of [float, int8, int3]) {
    const model = await loadModel(location, { threads: 1 });
    all.push(await distributions(model));
    await model.dispose();
  }
  const first = all[0]!;
  assert.is(tokens, first.length);
  assert.ok(tokens > CONTEXT, 'more than one chunk');
  for (const [
    m,
    { model, nll, perplexity, kl, top1Agreement, tokensPerSecond },
  ] of models.entries()) {
    const rows = all[m]!;
    const mean = (of: (row: number) => number) =>
      rows.reduce((sum, _, i) => sum + of(i), 0) / rows.length;
    near(
      nll,
      mean((i) => -Math.log(rows[i]!.p[rows[i]!.token]!)),
      `${model} nll`,
    );
    near(perplexity, Math.exp(nll), `${model} perplexity`);
    const divergenceOf = (i: number) =>
      first[i]!.p.reduce((sum, p, t) => sum + p * Math.log(p / rows[i]!.p[t]!), 0);
    near(kl, mean(divergenceOf), `${model} kl`);
    const top = ({ p }: { p: number[] }) => p.indexOf(Math.max(...p));
    near(
      top1Agreement,
      mean((i) => (top(first[i]!) === top(rows[i]!) ? 1 : 0)),
      `${model} top-1`,
    );
    assert.ok(tokensPerSecond > 0);
  }
  const [a, b, c] = models;
  assert.is(a!.kl, 0);
  assert.is(a!.top1Agreement, 1);
  assert.ok(b!.kl > 0 && c!.kl > 3 * b!.kl, `${b!.kl} and ${c!.kl}`);
  assert.is(a!.bitsPerWeight, 32);
  assert.ok(b!.fileBytes > c!.fileBytes);
});

test('one model alone, and a model with itself', async ({ float, int8, text }) => {
  const alone = await compare([float, '--text', text]);
  assert.equal(Object.keys(alone), ['nll', 'perplexity', 'tokens', 'contextLength']);
  const { models, tokens } = await compare([float, float, int8, '--text', text]);
  assert.is(models[0]!.nll, (alone as unknown as { nll: number }).nll);
  assert.is(tokens, alone.tokens);
  assert.is(models[1]!.kl, 0);
  assert.is(models[1]!.top1Agreement, 1);
});

test('the chunk is bounded by the smallest context', async ({ dir, float, text }) => {
  const small = await writeTinyLlama(join(dir, 'small'), { contextLength: 32 });
  assert.is((await compare([float, small, '--text', text])).contextLength, 32);
  const { code, stderr } = await runCli(['eval', float, small, '--text', text, '--context', '33']);
  assert.is(code, 2);
  assert.match(stderr, '[--context] expected at most 32, came 33');
});

test('models of other vocabularies or tokenizers are refused by name', async (context) => {
  const { dir, float, text } = context;
  const other = await writeTinyLlama(join(dir, 'other'), { vocabSize: 310 });
  const vocabulary = await runCli(['eval', float, other, '--text', text]);
  assert.is(vocabulary.code, 2);
  for (const part of [`${other}: expected 300 tokens`, float, 'came 310']) {
    assert.ok(vocabulary.stderr.includes(part), vocabulary.stderr);
  }
  const swapped = join(dir, 'swapped');
  await cp(float, swapped, { recursive: true });
  const file = join(swapped, 'tokenizer.json');
  const json = JSON.parse(await readFile(file, 'utf8'));
  const { vocab } = json.model;
  [vocab.h, vocab.d] = [vocab.d, vocab.h];
  await writeFile(file, JSON.stringify(json));
  const tokenizer = await runCli(['eval', float, swapped, '--text', text]);
  assert.is(tokenizer.code, 2);
  assert.match(
    tokenizer.stderr,
    /swapped: its tokenizer reads .* expected token \d+ to be \d+, came \d+/,
  );
});

test('--html writes one page that loads nothing; names are texts in it', async (context) => {
  const { dir, float, int3, text } = context;
  const hostile = join(dir, 'a<b>&"c');
  await cp(int3, hostile, { recursive: true });
  const file = join(dir, 'page.html');
  const words = ['eval', float, hostile, '--text', text, '--html', file];
  const { code, stdout, stderr } = await runCli(words);
  assert.is(code, 0, stderr);
  assert.match(
    stdout,
    /^model +size +bits per weight +NLL +perplexity +KL +same top token +tokens\/s\n/,
  );
  assert.equal(
    (await readdir(dir)).filter((name) => name.includes('.tmp')),
    [],
  );
  const html = await readFile(file, 'utf8');
  assert.not.match(html, /https?:|src=|href=|url\(|@import|<script/);
  assert.not.match(html, '<b>');
  assert.match(html, 'a&lt;b&gt;&amp;&quot;c');
  assert.is((await runCli(['eval', float, '--text', text, '--html', file])).code, 2);
  const folder = await runCli([...words.slice(0, -1), dir]);
  assert.is(folder.code, 2);
  assert.match(folder.stderr, '[--html] expected a file, came the directory');
  const refused = await runCli(['eval', float, '--text', 'none', '--html', join(dir, 'b.html')]);
  assert.is(refused.code, 2);
});

test('what is written of a failed comparison goes again', async ({ dir, float, text }) => {
  const before = (await readdir(dir)).sort();
  const words = ['eval', float, join(dir, 'none'), '--text', text, '--html', join(dir, 'f.html')];
  assert.is((await runCli(words)).code, 1);
  assert.equal((await readdir(dir)).sort(), before);
});

test('divergence of hostile logits', () => {
  const random = new TestRandom(5);
  for (const size of [0, 1e-6, 1, 50, 1e4]) {
    const draw = () => Float32Array.from({ length: 77 }, () => random.normal() * size);
    const [p, q] = [draw(), draw()];
    assert.is(divergence(p, p), 0);
    assert.ok(divergence(p, q) >= -1e-15, `${size}: ${divergence(p, q)}`);
    assert.ok(Number.isFinite(divergence(p, q)), `${size}`);
    const shifted = p.map((x) => x + 64);
    assert.ok(Math.abs(divergence(p, shifted)) < 1e-4, `${size}: a shift changes nothing`);
  }
  const [p, q] = [Float32Array.of(0, 0), Float32Array.of(0, Math.fround(Math.log(3)))];
  const expected = 0.5 * Math.log(2) + 0.5 * Math.log(0.5 / 0.75);
  assert.ok(Math.abs(divergence(p, q) - expected) < 1e-7);
  assert.is(likeliest(Float32Array.of(1, 3, 3, 2)), 1);
  assert.ok(Math.abs(logProbability(q, 1) - Math.log(0.75)) < 1e-7);
});

const MANY: Comparison = {
  tokens: 1000,
  contextLength: 250,
  models: Array.from({ length: 14 }, (_, i) => ({
    model: `/models/${i === 3 ? 'with-a-name-that-is-far-too-long-for-a-plot' : `scheme${i}`}`,
    fileBytes: 3e7 / (1 + (i % 5)),
    bitsPerWeight: 16 / (1 + (i % 5)),
    nll: 1.5 + i / 100,
    perplexity: Math.exp(1.5 + i / 100),
    kl: i === 0 ? 0 : 0.0006 * 1.7 ** i,
    top1Agreement: 1 - i / 100,
    tokensPerSecond: 100 + i,
  })),
};

const PAGE = comparisonPage(MANY, 'text.txt');

test('the page of many models: names stay in the picture and off each other', () => {
  const [, width] = /viewBox="0 0 (\d+)/.exec(PAGE)!;
  const labels = [
    ...PAGE.matchAll(/<text x="([\d.]+)" y="([\d.]+)" text-anchor="middle">([^<]*)</g),
  ]
    .map(([, x, y, text]) => ({
      x: Number(x),
      y: Number(y),
      text: text!,
      half: text!.length * 3.2,
    }))
    .filter(({ text }) => !/MB$|^0$/.test(text));
  assert.is(labels.length, 14);
  assert.ok(labels.some(({ text }) => text.endsWith('\u2026')));
  for (const [i, one] of labels.entries()) {
    assert.ok(one.x - one.half > 0 && one.x + one.half < Number(width), one.text);
    for (const other of labels.slice(i + 1)) {
      const aside = Math.abs(one.x - other.x) >= one.half + other.half;
      assert.ok(aside || Math.abs(one.y - other.y) >= 12, `${one.text} on ${other.text}`);
    }
  }
});

test('the page is for those who see little or nothing, too', () => {
  assert.match(PAGE, '<html lang="en">');
  assert.match(PAGE, 'role="img" aria-labelledby="plot-title plot-text"');
  assert.match(PAGE, 'scheme1: 15.0 MB, 0.00102; ');
  assert.is(PAGE.match(/<th scope="row"/g)!.length, 14);
  assert.is(PAGE.match(/<th scope="col"/g)!.length, 8);
  const themes = [...PAGE.matchAll(/:root \{([^}]*)\}/g)].map(([, rules]) => {
    return new Map(
      [...rules!.matchAll(/--(\w+): (#\w{6})/g)].map(([, name, value]) => [name, value!]),
    );
  });
  assert.is(themes.length, 2);
  for (const theme of themes) {
    for (const name of ['ink', 'soft', 'accent', 'first']) {
      const ratio = contrast(theme.get('paper')!, theme.get(name)!);
      assert.ok(ratio >= 4.5, `${name}: ${ratio}`);
    }
  }
});

/** Of two colours, by WCAG 2. */
function contrast(...colours: [string, string]): number {
  const [dark, light] = colours
    .map((colour) => {
      const [r, g, b] = [1, 3, 5].map((at) => {
        const value = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
        return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
      });
      return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
    })
    .sort((one, other) => one - other);
  return (light! + 0.05) / (dark! + 0.05);
}

test('the table of many models', () => {
  const lines = comparisonTable(MANY).split('\n');
  assert.is(lines.length, 1 + 14 + 3);
  assert.match(lines[1]!, /^scheme0 +30\.0 MB +16\.00 +1\.5000 +4\.4817 +- +- +100$/);
  assert.match(lines[2]!, /^scheme1 +15\.0 MB +8\.00 +1\.5100 +4\.5267 +0\.00102 +99\.00 % +101$/);
});

test.run();
