// A checkpoint of int4 weights, symmetric in blocks of 32, as a GGUF of Q4_0: the same levels and the same
// float16 scales, so every weight has the same value in both files. Two orders differ:
//
//   levels of a block   ours: byte i holds q[2i] and q[2i + 1];  Q4_0: byte i holds q[i] and q[i + 16]
//   rows of q and k     ours: rope turns row i with i + d/2 of its head;  GGUF: neighbours, 2i with 2i + 1
//
//   Q4_0, 18 bytes:  f16 scale, 16 bytes of levels;  w = scale * (q - 8)

import { UnsupportedError } from '../../bindings/errors.js';
import { formatName } from '../../bindings/formats/codecs.js';
import { type Checkpoint, openCheckpoint } from '../../bindings/model/checkpoint.js';
import type { ModelConfig } from '../../bindings/model/config.js';
import { readRows } from '../../bindings/model/read_rows.js';
import type { Part, Weight } from '../../bindings/model/weight.js';
import { createFile, remove, rename } from '../../bindings/platform/node_write.js';
import {
  GGUF_F32,
  GGUF_Q4_0,
  type GgufPair,
  type GgufTensor,
  ggufHead,
  ggufPadded,
} from './gguf.js';
import { tokenText, tokenType } from './vocabulary.js';

/** Weights of a block. */
const GROUP = 32;
const BLOCK_BYTES = 18;
const LEVEL_BYTES = 16;
const FILE_TYPE_Q4_0 = 2;

/** GGUF's names of the parts of a layer. */
const LAYER_PARTS: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

const OTHER_PARTS: Readonly<Record<string, string>> = {
  'model.embed_tokens': 'token_embd',
  'model.norm': 'output_norm',
  lm_head: 'output',
};

/**
 * Writes the checkpoint at `from` to a new file at `to`. Its tokenizer is made up: tokens are fed by id.
 * @throws UnsupportedError naming a matrix that is not int4 with float16 scales and whole blocks, or a scaled
 *   rope
 */
export async function writeLlamaGguf(from: string, to: string): Promise<void> {
  const checkpoint = await openCheckpoint(from);
  const temporary = `${to}.tmp`;
  await remove(temporary);
  try {
    await writeTo(temporary, checkpoint);
    await rename(temporary, to);
  } finally {
    await checkpoint.close();
    await remove(temporary);
  }
}

async function writeTo(path: string, { config, weights }: Checkpoint): Promise<void> {
  if (config.rope.scaling) {
    throw new UnsupportedError(`[gguf] rope_scaling ${config.rope.scaling.type}: expected none`);
  }
  const entries = [...weights.values()].map((weight) => ({ weight, tensor: ggufTensor(weight) }));
  const tensors = entries.map(({ tensor }) => tensor);
  const sink = await createFile(path);
  try {
    await sink.write(ggufHead(metadata(config), tensors));
    for (const { weight, tensor } of entries) {
      const bytes = new Uint8Array(ggufPadded(tensor.bytes));
      if (tensor.type === GGUF_F32) {
        const values = Float32Array.from(await readRows(weight, 0, weight.shape[0]!));
        bytes.set(new Uint8Array(values.buffer));
      } else {
        await writeBlocks(bytes, weight, rowOrder(weight, config));
      }
      await sink.write(bytes);
    }
  } finally {
    await sink.close();
  }
}

function ggufTensor({ path, shape, format }: Weight): GgufTensor {
  const name = `${ggufName(path)}.weight`;
  const [n = 0, k] = shape;
  if (k === undefined) return { name, shape, type: GGUF_F32, bytes: n * 4 };
  const { scale } = format;
  const isQ4 = formatName(format) === 'int4' && scale?.dtype === 'f16';
  if (!isQ4 || k % GROUP !== 0) {
    const scales = scale ? ` with ${scale.dtype} scales` : '';
    throw new UnsupportedError(
      `[gguf] ${path}: expected int4 with f16 scales and k in blocks of ${GROUP}, ` +
        `came ${formatName(format)}${scales} and k ${k}`,
    );
  }
  return { name, shape, type: GGUF_Q4_0, bytes: n * (k / GROUP) * BLOCK_BYTES };
}

function ggufName(path: string): string {
  const layer = /^model\.layers\.(\d+)\.(.+)$/.exec(path);
  const name = layer ? LAYER_PARTS[layer[2]!] : OTHER_PARTS[path];
  if (name === undefined) throw new UnsupportedError(`[gguf] ${path}: no such part of a Llama`);
  return layer ? `blk.${layer[1]}.${name}` : name;
}

/** Which row of ours stands at row `i` of the GGUF. */
function rowOrder({ path }: Weight, { headDim }: ModelConfig): (i: number) => number {
  if (!/\.(q|k)_proj$/.test(path)) return (i) => i;
  const half = headDim / 2;
  return (i) => {
    const inHead = i % headDim;
    return i - inHead + (inHead >> 1) + (inHead & 1) * half;
  };
}

async function writeBlocks(out: Uint8Array, weight: Weight, from: (row: number) => number) {
  const [n = 0, k = 0] = weight.shape;
  const blocks = k / GROUP;
  const [levels, scales] = await Promise.all(weight.parts.map(readPart));
  let at = 0;
  for (let row = 0; row < n; row++) {
    const first = from(row) * blocks;
    for (let block = first; block < first + blocks; block++, at += BLOCK_BYTES) {
      out[at] = scales![2 * block]!;
      out[at + 1] = scales![2 * block + 1]!;
      reorderLevels(levels!, block * LEVEL_BYTES, out, at + 2);
    }
  }
}

function reorderLevels(from: Uint8Array, at: number, out: Uint8Array, to: number): void {
  for (let i = 0; i < LEVEL_BYTES / 2; i++) {
    const low = from[at + i]!;
    const high = from[at + LEVEL_BYTES / 2 + i]!;
    out[to + 2 * i] = (low & 15) | ((high & 15) << 4);
    out[to + 2 * i + 1] = (low >> 4) | (high & 0xf0);
  }
}

async function readPart({ source, offset, bytes }: Part): Promise<Uint8Array> {
  const all = new Uint8Array(bytes);
  await source.read(offset, all);
  return all;
}

function metadata(config: ModelConfig): GgufPair[] {
  const u32 = (key: string, value: number): GgufPair => ({ key, type: 'u32', value });
  const f32 = (key: string, value: number): GgufPair => ({ key, type: 'f32', value });
  return [
    { key: 'general.architecture', type: 'string', value: 'llama' },
    u32('general.file_type', FILE_TYPE_Q4_0),
    u32('llama.block_count', config.numLayers),
    u32('llama.context_length', config.contextLength),
    u32('llama.embedding_length', config.hiddenSize),
    u32('llama.feed_forward_length', config.intermediateSize),
    u32('llama.attention.head_count', config.numHeads),
    u32('llama.attention.head_count_kv', config.numKvHeads),
    u32('llama.attention.key_length', config.headDim),
    u32('llama.attention.value_length', config.headDim),
    f32('llama.attention.layer_norm_rms_epsilon', config.rmsNormEps),
    u32('llama.rope.dimension_count', config.headDim),
    f32('llama.rope.freq_base', config.rope.theta),
    u32('llama.vocab_size', config.vocabSize),
    ...vocabulary(config.vocabSize),
  ];
}

/** A tokenizer in which every character is a token, and nothing is put before a text. */
function vocabulary(size: number): GgufPair[] {
  const ids = Array.from({ length: size }, (_, id) => id);
  const bool = (key: string, value: boolean): GgufPair => ({ key, type: 'bool', value });
  return [
    { key: 'tokenizer.ggml.model', type: 'string', value: 'llama' },
    { key: 'tokenizer.ggml.tokens', type: 'string', value: ids.map(tokenText) },
    { key: 'tokenizer.ggml.scores', type: 'f32', value: ids.map((id) => -id) },
    { key: 'tokenizer.ggml.token_type', type: 'i32', value: ids.map(tokenType) },
    { key: 'tokenizer.ggml.bos_token_id', type: 'u32', value: 1 },
    { key: 'tokenizer.ggml.eos_token_id', type: 'u32', value: 2 },
    bool('tokenizer.ggml.add_bos_token', false),
    bool('tokenizer.ggml.add_space_prefix', false),
  ];
}
