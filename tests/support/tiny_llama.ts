// A seeded Llama as a Hugging Face directory: for tests that go through files, tokenizer included.

import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tinyTokenizer, tinyTokenizerConfig } from './tiny_tokenizer.js';
import {
  encodeFloats,
  safetensorsBytes,
  TINY_DEFAULTS,
  type TinyOptions,
  tinyLlama,
} from './tiny_weights.js';

export * from './tiny_weights.js';

/** Writes the model into `dir`, which is made if need be. @returns dir */
export async function writeTinyLlama(
  dir: string,
  options: Partial<TinyOptions> = {},
): Promise<string> {
  const { config, tensors } = tinyLlama(options);
  const { vocabSize, dtype } = { ...TINY_DEFAULTS, ...options };
  const stored = [...tensors].map(([name, { shape, values }]) => {
    return { name, dtype, shape, bytes: encodeFloats(dtype, values) };
  });
  await mkdir(dir, { recursive: true });
  const write = (name: string, value: unknown) =>
    writeFile(join(dir, name), JSON.stringify(value, null, 2));
  await write('config.json', config);
  await write('generation_config.json', { bos_token_id: 1, eos_token_id: 2 });
  await write('tokenizer.json', tinyTokenizer(vocabSize));
  await write('tokenizer_config.json', tinyTokenizerConfig());
  await writeFile(join(dir, 'model.safetensors'), safetensorsBytes(stored));
  return dir;
}

/** Writes a model into `dir` whose weights are finite and whose logits are not. @returns dir */
export async function writeOverflowing(dir: string): Promise<string> {
  const options = { tied: false, numLayers: 1 } as const;
  await writeTinyLlama(dir, options);
  const stored = [...tinyLlama(options).tensors].map(([name, { shape, values }]) => {
    const huge = name === 'lm_head.weight' ? values.map((x) => Math.sign(x) * 3e38) : values;
    return { name, dtype: 'F32', shape, bytes: encodeFloats('F32', huge) };
  });
  await writeFile(join(dir, 'model.safetensors'), safetensorsBytes(stored));
  return dir;
}
