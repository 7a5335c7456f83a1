// The conversion of llama2.c's checkpoints, on one with two layers and shared key and value heads, and on the
// vocabulary of the 256 bytes and a few pieces.

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { checkWeights } from '../../bindings/plan/check.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { createTokenizer } from '../../bindings/text/tokenizer.js';
import { convertLlama2c } from '../../tools/stories/convert.js';
import { readCheckpoint, readVocabulary } from '../../tools/stories/llama2c.js';
import { tokenizerJson } from '../../tools/stories/tokenizer_json.js';
import { raises } from '../support/raises.js';

const DIM = 8;
const HIDDEN = 12;
const LAYERS = 2;
const HEADS = 2;
const KV_HEADS = 1;
const CONTEXT = 16;
const HEAD_DIM = DIM / HEADS;
const PIECES = ['\n<s>\n', '\n</s>\n', ...Array.from({ length: 256 }, () => '?')];
const WORDS = ['  ', 'ab', ' ab', 'abc', ' ', 'a', 'b', 'c', '\ufeff'];
const VOCAB = ['<unk>', ...PIECES, ...WORDS];

/** Numbers 0, 1, 2, ... modulo 512: exact in float16, and each tells where it stood. */
function checkpointBytes(tied: boolean): Uint8Array {
  const kvWidth = KV_HEADS * HEAD_DIM;
  const layer = 2 * DIM + 2 * DIM * DIM + 2 * kvWidth * DIM + 3 * HIDDEN * DIM;
  const embedding = VOCAB.length * DIM;
  const floats = embedding * (tied ? 1 : 2) + LAYERS * layer + DIM + CONTEXT * HEAD_DIM;
  const vocabulary = VOCAB.length * (tied ? 1 : -1);
  const header = Int32Array.of(DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, vocabulary, CONTEXT);
  const values = Float32Array.from({ length: floats }, (_, i) => i % 512);
  return Buffer.concat([new Uint8Array(header.buffer), new Uint8Array(values.buffer)]);
}

function vocabularyBytes(): Uint8Array {
  const records = VOCAB.map((piece, id) => {
    const text = Buffer.from(piece);
    const record = Buffer.alloc(8 + text.length);
    record.writeFloatLE(piece === '  ' ? -1e9 : -Math.max(0, id - 259));
    record.writeInt32LE(text.length, 4);
    text.copy(record, 8);
    return record;
  });
  return Buffer.concat([Buffer.from([3, 0, 0, 0]), ...records]);
}

for (const tied of [true, false]) {
  test(`a checkpoint with ${tied ? 'tied' : 'own'} classifier is one the plan accepts`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'halfbyte-stories-'));
    const out = join(folder, 'model');
    await convertLlama2c(checkpointBytes(tied), vocabularyBytes(), out);
    const checkpoint = await openCheckpoint(out);
    try {
      checkWeights(planFor(checkpoint.config), checkpoint.weights, out);
      assert.is(checkpoint.config.tiedEmbeddings, tied);
      const embedding = checkpoint.weights.get('model.embed_tokens')!;
      const values = await readRows(embedding, 3, 5);
      const expected = Float64Array.from({ length: 2 * DIM }, (_, i) => 3 * DIM + i);
      assert.equal(Float64Array.from(values), expected);
      const settings = JSON.parse(await readFile(join(out, 'generation_config.json'), 'utf8'));
      assert.equal(settings, { bos_token_id: 1, eos_token_id: 2 });
    } finally {
      await checkpoint.close();
      await rm(folder, { recursive: true });
    }
  });
}

test('pairs of rows (2i, 2i + 1) of a head become (i, i + headDim / 2)', () => {
  const { tensors } = readCheckpoint(checkpointBytes(true));
  const k = tensors.get('model.layers.1.self_attn.k_proj.weight')!;
  const firstColumn = (row: number) => k.values[row * DIM]!;
  const start = firstColumn(0);
  const offsets = Array.from({ length: HEAD_DIM }, (_, row) => firstColumn(row) - start);
  assert.equal(offsets, [0, 2 * DIM, DIM, 3 * DIM]);
});

test('a checkpoint of another length is refused', async () => {
  const bytes = checkpointBytes(true);
  const { length } = bytes;
  const cut = bytes.subarray(0, length - 4);
  await raises(() => readCheckpoint(cut), 'FORMAT', [length - 4, length]);
  const long = Buffer.concat([bytes, new Uint8Array(4)]);
  await raises(() => readCheckpoint(long), 'FORMAT', [length + 4, length]);
});

test('a vocabulary of another size is refused', async () => {
  const bytes = vocabularyBytes();
  const { length } = VOCAB;
  await raises(() => readVocabulary(bytes, length + 1), 'FORMAT', [length, length + 1]);
  await raises(() => readVocabulary(bytes, length - 1), 'FORMAT', [length - 1]);
  await raises(() => readVocabulary(bytes.subarray(0, -1), length), 'FORMAT', [length]);
});

test('pieces merge by score, and what no piece covers is spelled in bytes', () => {
  const json = tokenizerJson(readVocabulary(vocabularyBytes(), VOCAB.length));
  const { vocab, merges } = json['model'] as {
    vocab: Record<string, number>;
    merges: [string, string][];
  };
  assert.is(vocab['<0xFF>'], 258);
  assert.is(vocab['\ufeff'], VOCAB.length - 1);
  assert.equal(merges, [
    ['a', 'b'],
    ['▁', 'ab'],
    ['ab', 'c'],
    ['▁', '▁'],
  ]);
  const tokenizer = createTokenizer(
    { tokenizer: JSON.stringify(json), tokenizerConfig: null },
    { vocabSize: VOCAB.length, bosTokenId: 1, eosTokenIds: [2] },
  );
  const ids = tokenizer.encode('abcé');
  assert.equal(ids, [1, vocab['▁ab'], vocab['c'], vocab['<0xC3>'], vocab['<0xA9>']]);
  assert.is(tokenizer.decode(ids), 'abcé');
});

test.run();
