// The tables read from the text are those that the library makes of the parsed file, however it is written.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BPE, Tokenizer } from '@huggingface/tokenizers';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { readBpeTables } from '../../bindings/text/bpe_tables.js';
import { sharedModel } from '../support/shared_models.js';
import { TEXTS } from '../support/tiny_text.js';
import { tinyTokenizer } from '../support/tiny_tokenizer.js';

interface BpeFile {
  readonly added_tokens: readonly object[];
  readonly model: {
    readonly vocab: Record<string, number>;
    readonly merges: readonly (readonly [string, string])[];
  };
}

/** The tiny tokenizer, with pieces and merges that JSON must escape, and a merge that comes twice. */
function tinyFile(): BpeFile {
  const file = tinyTokenizer(300) as { model: { vocab: Record<string, number>; merges: string[] } };
  const { vocab } = file.model;
  const merges = file.model.merges.map((merge) => merge.split(' ') as [string, string]);
  const awkward = ['"', '\\', '\n', '\\n', '"]', '],[', '\u0120the', '\u{1f389}', '"vocab": {'];
  const added = Object.fromEntries(awkward.map((token, i) => [token, 300 + i]));
  const pairs = [['\\', 'n'], ['"', ']'], ['\u0120', 'the'], merges[0]!] as const;
  const model = { ...file.model, vocab: { ...vocab, ...added }, merges: [...merges, ...pairs] };
  return { added_tokens: [], ...file, model };
}

function joined(file: BpeFile): object {
  const merges = file.model.merges.map((pair) => pair.join(' '));
  return { ...file, model: { ...file.model, merges } };
}

function inAscii(text: string): string {
  const escaped = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  return text.replace(/[^\x20-\x7e\n]/g, escaped);
}

const WRITINGS: Readonly<Record<string, (file: BpeFile) => string>> = {
  compact: (file) => JSON.stringify(file),
  indented: (file) => JSON.stringify(file, null, 2),
  'on lines with CR': (file) => JSON.stringify(file, null, '\t').replaceAll('\n', '\r\n'),
  'in ASCII': (file) => inAscii(JSON.stringify(file, null, 1)),
  'merges joined': (file) => JSON.stringify(joined(file)),
  'merges joined, indented': (file) => JSON.stringify(joined(file), null, 2),
};

const empty = {
  ...{ normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null },
  added_tokens: [],
};

function bpeOf(tokenizer: Tokenizer): BPE {
  assert.ok(tokenizer.model instanceof BPE);
  return tokenizer.model as BPE;
}

function checkSame(text: string, size: number, name: string): void {
  const tables = readBpeTables(text, size);
  assert.ok(tables, `${name}: read`);
  const ours = new Tokenizer({ added_tokens: [], ...tables.file }, {});
  tables.fill(ours);
  const theirs = new Tokenizer(JSON.parse(text), {});
  const [a, b] = [bpeOf(ours), bpeOf(theirs)];
  assert.is(tables.vocabSize, size, name);
  assert.equal([...a.vocab], [...b.vocab], name);
  assert.is(a.unk_token_id, b.unk_token_id, name);
  assert.equal(new Map([...a.tokens_to_ids].sort()), new Map([...b.tokens_to_ids].sort()), name);
  for (const [pair, rank] of b.bpe_ranks) assert.is(a.bpe_ranks.get(pair), rank, `${name} ${pair}`);
  for (const absent of ['["q","zz"]', '["\\"","\\""]', '["","t"]', '["▁t","h e"]']) {
    assert.is(a.bpe_ranks.get(absent), b.bpe_ranks.get(absent), `${name} ${absent}`);
  }
  for (const sample of TEXTS)
    assert.equal(ours.encode(sample).ids, theirs.encode(sample).ids, name);
}

for (const [name, write] of Object.entries(WRITINGS)) {
  test(`the same tables: ${name}`, () => checkSame(write(tinyFile()), 309, name));
}

test('the same tables: real models', async () => {
  for (const name of ['stories15M', 'minimind2-small']) {
    const folder = sharedModel(name);
    if (folder === null) continue;
    const text = await readFile(join(folder, 'tokenizer.json'), 'utf8');
    checkSame(text, Object.keys(JSON.parse(text).model.vocab).length, name);
  }
});

test('pairs that collide, have spaces or are written with escapes keep their ranks', () => {
  // White space does not count for the hash, so these have only a few.
  const merges = Array.from({ length: 600 }, (_, i) => [
    'a'.padEnd(1 + (i % 24)),
    'b'.padStart(1 + Math.floor(i / 24)),
  ]);
  const joinedMerges = Array.from({ length: 600 }, (_, i) => [
    't'.repeat(1 + i),
    't'.repeat(600 - i),
  ]);
  const of = (given: readonly unknown[]) => {
    const text = inAscii(
      JSON.stringify({ model: { type: 'BPE', vocab: { a: 0 }, merges: given } }),
    );
    const tables = readBpeTables(text, 1);
    assert.ok(tables);
    const library = new Tokenizer({ ...empty, model: tables.file.model }, {});
    tables.fill(library);
    return bpeOf(library).bpe_ranks;
  };
  const ranks = of(merges);
  for (const [i, pair] of merges.entries()) assert.is(ranks.get(JSON.stringify(pair)), i);
  const joinedRanks = of(joinedMerges.map((pair) => pair.join(' ')));
  for (const [i, pair] of joinedMerges.entries())
    assert.is(joinedRanks.get(JSON.stringify(pair)), i);
  assert.is(joinedRanks.get(JSON.stringify(['t', 't'])), undefined);
});

test('what is not well-formed is left to JSON.parse and those who read its result', () => {
  const file = tinyFile();
  const text = JSON.stringify(file);
  const { model } = file;
  const write = (changed: object) => JSON.stringify({ ...file, model: { ...model, ...changed } });
  const refused = {
    'an id without embedding': write({ vocab: { ...model.vocab, beyond: 309 } }),
    'a fraction as id': write({ vocab: { ...model.vocab, half: 0.5 } }),
    'a token named twice': text.replace('"vocab":{', '"vocab":{"<unk>":7,'),
    'a comma too many': text.replace(/\]\](?=[^\]]*$)/, '],]'),
    'a merge of three': write({ merges: [...model.merges, ['a', 'b', 'c']] }),
    'joined merges of three': write({ merges: ['a b', 'a b c'] }),
    'an escape that is none': text.replace('"<unk>":0', '"<\\unk>":0'),
    'an id that comes twice': write({ vocab: { ...model.vocab, twice: 7 } }),
    'no merges': write({ merges: [] }),
    'another kind': write({ type: 'Unigram' }),
    'cut off': text.slice(0, -20),
    'tables of something else': JSON.stringify({ other: { vocab: { a: 1 } }, ...file }),
  };
  for (const [what, damaged] of Object.entries(refused)) {
    assert.is(readBpeTables(damaged, 309), null, what);
  }
});

test.run();
