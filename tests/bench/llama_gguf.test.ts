import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { writeLlamaGguf } from '../../bench/peers/llama_gguf.js';
import { characterPrompt, tokenText } from '../../bench/peers/vocabulary.js';
import { compressModel } from '../../bindings/compress/compress.js';
import { UnsupportedError } from '../../bindings/errors.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { readRows } from '../../bindings/model/read_rows.js';
import { readGguf } from '../support/gguf_reader.js';
import { TestRandom } from '../support/random.js';
import { TINY_DEFAULTS, writeTinyLlama } from '../support/tiny_model.js';

/** GGUF knows whole blocks only. */
const SHAPE = { intermediateSize: 96 };

const NAMES: Readonly<Record<string, string>> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
  'model.layers.1.input_layernorm': 'blk.1.attn_norm',
  'model.layers.1.self_attn.q_proj': 'blk.1.attn_q',
  'model.layers.1.self_attn.k_proj': 'blk.1.attn_k',
  'model.layers.1.self_attn.v_proj': 'blk.1.attn_v',
  'model.layers.1.self_attn.o_proj': 'blk.1.attn_output',
  'model.layers.1.post_attention_layernorm': 'blk.1.ffn_norm',
  'model.layers.1.mlp.gate_proj': 'blk.1.ffn_gate',
  'model.layers.1.mlp.up_proj': 'blk.1.ffn_up',
  'model.layers.1.mlp.down_proj': 'blk.1.ffn_down',
};

const test = suite<{ dir: string; float: string; int4: string }>('llama_gguf');

test.before.each(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-gguf-'));
  context.float = join(context.dir, 'float');
  context.int4 = join(context.dir, 'int4');
});

test.after.each(({ dir }) => rm(dir, { recursive: true }));

/** Rows of the checkpoint as GGUF orders them: neighbours 2i, 2i + 1 of a head are its rows i, i + d/2. */
function reorderedForRope(w: Float64Array, k: number, headDim: number): Float64Array {
  const out = new Float64Array(w.length);
  for (let row = 0; row < w.length / k; row++) {
    const [head, i] = [Math.floor(row / headDim), row % headDim];
    const to = head * headDim + (i < headDim / 2 ? 2 * i : 2 * i - headDim + 1);
    out.set(w.subarray(row * k, (row + 1) * k), to * k);
  }
  return out;
}

for (const tied of [true, false]) {
  test(`every weight has the same value in both files, tied: ${tied}`, async (context) => {
    const { dir, float, int4 } = context;
    await writeTinyLlama(float, { ...SHAPE, tied });
    await compressModel(float, int4, { scheme: 'int4' });
    const path = join(dir, 'model.gguf');
    await writeLlamaGguf(int4, path);
    const gguf = readGguf(await readFile(path));
    const { weights, close } = await openCheckpoint(int4);
    assert.is(gguf.tensors.size, weights.size);
    assert.is(gguf.tensors.has('output.weight'), !tied);
    for (const [from, name] of Object.entries(NAMES)) {
      if (from === 'lm_head' && tied) continue;
      const weight = weights.get(from)!;
      const rows = await readRows(weight, 0, weight.shape[0]!);
      const turned = /[qk]_proj$/.test(from);
      const expected = turned ? reorderedForRope(rows, weight.shape[1]!, 16) : rows;
      const tensor = gguf.tensors.get(`${name}.weight`)!;
      assert.equal(tensor.shape, weight.shape, name);
      assert.ok(
        tensor.w.every((w, i) => w === expected[i]),
        name,
      );
    }
    await close();
    const { numLayers, numHeads, numKvHeads, headDim, vocabSize } = TINY_DEFAULTS;
    assert.is(gguf.values.get('llama.block_count'), numLayers);
    assert.is(gguf.values.get('llama.attention.head_count'), numHeads);
    assert.is(gguf.values.get('llama.attention.head_count_kv'), numKvHeads);
    assert.is(gguf.values.get('llama.rope.dimension_count'), headDim);
    assert.is((gguf.values.get('tokenizer.ggml.tokens') as string[]).length, vocabSize);
  });
}

test('what Q4_0 cannot hold is refused by name, and no file is left', async ({
  dir,
  float,
  int4,
}) => {
  await writeTinyLlama(float);
  await compressModel(float, int4, { scheme: 'int4' });
  for (const [from, what] of [
    [float, /embed_tokens: expected int4 .* came f32 and k 64/],
    [int4, /down_proj: expected int4 .* came int4 with f16 scales and k 172/],
  ] as const) {
    const error = await writeLlamaGguf(from, join(dir, 'model.gguf')).then(
      () => null,
      (reason) => reason,
    );
    assert.instance(error, UnsupportedError);
    assert.match(error.message, what);
  }
  assert.equal((await readdir(dir)).sort(), ['float', 'int4']);
});

test('no two tokens have one text, and those of a prompt are one character each', () => {
  const vocabSize = 49152;
  const texts = Array.from({ length: vocabSize }, (_, id) => tokenText(id));
  assert.is(new Set(texts).size, vocabSize);
  const random = new TestRandom(1);
  const prompt = characterPrompt(1000, vocabSize, () => random.uint32() / 2 ** 32);
  assert.ok(prompt.every((id) => id < vocabSize && [...texts[id]!].length === 1));
});

test.run();
