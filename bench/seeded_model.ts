// A Llama of random int4 weights, as `halfbyte compress --scheme int4` writes one, at the shape of a real
// model: speed does not depend on what the weights say. Levels and scales are drawn directly, so that a
// model of 1.1 billion weights takes seconds.

import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFile } from '#platform';
import { prepareOutput } from '../bindings/compress/output.js';
import {
  assignSchemes,
  quantizationKeys,
  storedFormat,
  tensorEntries,
} from '../bindings/compress/output_tensor.js';
import { schemeRecipe } from '../bindings/compress/recipe.js';
import { SafetensorsWriter } from '../bindings/compress/safetensors_writer.js';
import { f32ToF16 } from '../bindings/formats/float16.js';
import { parseConfig } from '../bindings/model/config.js';
import { floatWeight as floatWeightOf, type Weight } from '../bindings/model/weight.js';
import { planFor } from '../bindings/plan/plan_for.js';
import { Random } from '../bindings/sampler/random.js';
import type { ModelShape } from './shapes.js';

const SEED = 1;
/** Bytes drawn and written at once. */
const PIECE = 4 << 20;
/** Standard deviation of a level drawn from 0..15. */
const LEVEL_DEVIATION = 4.61;

/**
 * The directory in `folder` that holds the model; it is made if it is not there.
 * @throws SourceError if it cannot be written
 */
export async function seededModel(shape: ModelShape, folder: string): Promise<string> {
  const path = join(folder, `seeded-${shape.name}-int4`);
  if (existsSync(path)) return path;
  await mkdir(folder, { recursive: true });
  const output = await prepareOutput(path, [], false);
  try {
    await mkdir(output.temporary);
    await writeModel(shape, output.temporary);
    await output.commit();
  } finally {
    await output.discard();
  }
  return path;
}

async function writeModel(shape: ModelShape, directory: string): Promise<void> {
  const config = huggingFaceConfig(shape);
  const plan = planFor(parseConfig(config, 'config.json'));
  const tensors = assignSchemes([...plan.weights].map(floatWeight), schemeRecipe('int4'));
  const whole = { ...config, ...quantizationKeys(tensors) };
  await writeFile(join(directory, 'config.json'), JSON.stringify(whole, null, 2));

  const random = Random.fromSeed(SEED);
  const entries = tensors.flatMap((tensor) => tensorEntries(tensor, storedFormat(tensor)));
  const sink = await createFile(join(directory, 'model.safetensors'));
  try {
    const writer = await SafetensorsWriter.begin(sink, entries, { format: 'halfbyte' });
    for (const entry of entries) {
      const { name, dtype, shape: size, bytes } = entry;
      const k = (size[1] ?? 1) * 32;
      if (name.endsWith('.scales')) await writer.append(randomScales(random, bytes / 2, k));
      else if (dtype === 'U32') await writeLevels(writer, random, bytes);
      else await writer.append(asBytes(new Uint16Array(bytes / 2).fill(f32ToF16(1))));
      writer.endTensor(entry);
    }
    await writer.finish();
  } finally {
    await sink.close();
  }
}

function huggingFaceConfig(shape: ModelShape): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: shape.hidden,
    intermediate_size: shape.intermediate,
    num_hidden_layers: shape.layers,
    num_attention_heads: shape.heads,
    num_key_value_heads: shape.kvHeads,
    head_dim: shape.headDim,
    vocab_size: shape.vocab,
    max_position_embeddings: shape.context,
    rms_norm_eps: 1e-5,
    rope_theta: shape.ropeTheta,
    hidden_act: 'silu',
    tie_word_embeddings: shape.tied,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: 'float16',
  };
}

/** The float16 weight that would be compressed; it has no bytes. */
function floatWeight([path, shape]: readonly [string, readonly number[]]): Weight {
  const bytes = 2 * shape.reduce((product, size) => product * size, 1);
  const source = { name: path, size: bytes, read: async () => {}, close: async () => {} };
  const values = { name: path, source, offset: 0, bytes };
  return floatWeightOf(path, shape, 'f16', values);
}

async function writeLevels(writer: SafetensorsWriter, random: Random, bytes: number) {
  for (let done = 0; done < bytes; done += PIECE) {
    const words = new Uint32Array(Math.min(PIECE, bytes - done) / 4);
    for (let i = 0; i < words.length; i++) words[i] = random.uint32();
    await writer.append(asBytes(words));
  }
}

/** Of both signs, as the compressor's are; a row of k such weights keeps the size of what it reads. */
function randomScales(random: Random, count: number, k: number): Uint8Array {
  const size = 1 / (LEVEL_DEVIATION * Math.sqrt(k));
  const scales = Uint16Array.from({ length: count }, () => {
    const sign = random.uint32() & 1 ? 1 : -1;
    return f32ToF16(sign * size * (0.5 + random.uniform()));
  });
  return asBytes(scales);
}

function asBytes(values: Uint16Array | Uint32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
