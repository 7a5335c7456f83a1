// A llama2.c checkpoint and its vocabulary become a Hugging Face directory: matrices in float16, norms in
// float32 as they are.

import { mkdir, open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { f32ToF16 } from '../../bindings/formats/float16.js';
import { encodeHeader } from '../../bindings/model/safetensors.js';
import { type Llama2cConfig, readCheckpoint, readVocabulary, type Tensor } from './llama2c.js';
import { BOS, EOS, SPECIAL_FLAGS, tokenizerJson, UNKNOWN } from './tokenizer_json.js';

const BOS_ID = 1;
const EOS_ID = 2;

/**
 * Writes the directory `out`, which must not exist yet.
 * @param checkpoint bytes of a `.bin`
 * @param vocabulary bytes of the `tokenizer.bin` that belongs to it
 */
export async function convertLlama2c(
  checkpoint: Uint8Array,
  vocabulary: Uint8Array,
  out: string,
): Promise<void> {
  const { config, tensors } = readCheckpoint(checkpoint);
  const pieces = readVocabulary(vocabulary, config.vocabSize);
  await mkdir(out, { recursive: true });
  await writeSafetensors(join(out, 'model.safetensors'), tensors);
  await writeJson(join(out, 'tokenizer.json'), tokenizerJson(pieces));
  await writeJson(join(out, 'tokenizer_config.json'), tokenizerConfig());
  await writeJson(join(out, 'generation_config.json'), {
    bos_token_id: BOS_ID,
    eos_token_id: EOS_ID,
  });
  await writeJson(join(out, 'config.json'), huggingFaceConfig(config));
}

function huggingFaceConfig(config: Llama2cConfig): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.numLayers,
    num_attention_heads: config.numHeads,
    num_key_value_heads: config.numKvHeads,
    head_dim: config.hiddenSize / config.numHeads,
    vocab_size: config.vocabSize,
    max_position_embeddings: config.contextLength,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    rope_scaling: null,
    hidden_act: 'silu',
    tie_word_embeddings: config.tiedEmbeddings,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: BOS_ID,
    eos_token_id: EOS_ID,
    torch_dtype: 'float16',
  };
}

function tokenizerConfig(): Record<string, unknown> {
  const added = [UNKNOWN, BOS, EOS].map((content, id) => [id, { content, ...SPECIAL_FLAGS }]);
  return {
    tokenizer_class: 'LlamaTokenizer',
    add_bos_token: true,
    add_eos_token: false,
    added_tokens_decoder: Object.fromEntries(added),
    bos_token: BOS,
    eos_token: EOS,
    unk_token: UNKNOWN,
    clean_up_tokenization_spaces: false,
    legacy: false,
  };
}

async function writeSafetensors(path: string, tensors: ReadonlyMap<string, Tensor>): Promise<void> {
  const stored = [...tensors]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, tensor]) => ({ name, shape: tensor.shape, ...encode(tensor) }));
  const header = encodeHeader(
    stored.map(({ data, ...entry }) => ({ ...entry, bytes: data.length })),
  );
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(header.length), true);
  const file = await open(path, 'wx');
  try {
    for (const bytes of [length, header, ...stored.map(({ data }) => data)]) {
      await file.writeFile(bytes);
    }
  } finally {
    await file.close();
  }
}

function encode({ shape, values }: Tensor): { dtype: string; data: Uint8Array } {
  if (shape.length === 1) return { dtype: 'F32', data: new Uint8Array(values.buffer) };
  const halves = Uint16Array.from(values, f32ToF16);
  return { dtype: 'F16', data: new Uint8Array(halves.buffer) };
}

function writeJson(path: string, value: unknown): Promise<void> {
  return writeFile(path, `${JSON.stringify(value, null, 1)}\n`);
}
