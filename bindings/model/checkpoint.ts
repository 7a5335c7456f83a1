// A checkpoint on disk: config, weights by path, and the texts beside them.

import { type ModelConfig, parseConfig } from './config.js';
import { locationName, type ModelLocation } from './file_tree.js';
import type { SourceOptions } from './files.js';
import { parseJsonObject } from './json_fields.js';
import { type ModelFiles, openModelFiles } from './model_files.js';
import { parseQuantization } from './quantization.js';
import type { Weight } from './weight.js';
import { collectWeights } from './weights.js';

export interface Checkpoint {
  /** For messages: the path or URL it was opened from. */
  readonly name: string;
  readonly config: ModelConfig;
  /** config.json as it was, for writing another checkpoint. */
  readonly rawConfig: Readonly<Record<string, unknown>>;
  /**
   * Every weight by path (`model.embed_tokens`, `model.layers.0.mlp.up_proj`, `model.norm`,
   * `lm_head`).
   */
  readonly weights: ReadonlyMap<string, Weight>;
  /** A head that was stored although it is tied to the embedding; `checkTiedHead` compares them. */
  readonly storedHead: Weight | null;
  /** JSON texts of the side files, null where there is none (chatTemplate: Jinja text). */
  readonly texts: {
    readonly tokenizer: string | null;
    readonly tokenizerConfig: string | null;
    readonly generationConfig: string | null;
    readonly chatTemplate: string | null;
  };
  /** Bytes of the safetensors files. */
  readonly fileBytes: number;
  /** @throws SourceError if a file is no longer what it was when it was opened */
  checkUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens a Hugging Face directory, or one `.safetensors` file. No weight is read, only headers and
 * texts.
 * @throws SourceError for what is missing or unreadable, FormatError for files that contradict
 *   themselves or each other, UnsupportedError for models halfbyte does not run; `signal.reason` on abort
 */
export async function openCheckpoint(
  location: ModelLocation,
  options: SourceOptions = {},
): Promise<Checkpoint> {
  const files = await openModelFiles(location, options);
  try {
    return readCheckpoint(locationName(location), files);
  } catch (error) {
    await files.close();
    throw error;
  }
}

function readCheckpoint(name: string, files: ModelFiles): Checkpoint {
  const { texts, configName, fileBytes } = files;
  const rawConfig = parseJsonObject(texts.config, configName);
  const config = parseConfig(rawConfig, configName, texts.generationConfig);
  const quantization = parseQuantization(rawConfig, configName);
  const weights = collectWeights(files.tensors, quantization, name);
  const storedHead = (config.tiedEmbeddings && weights.get('lm_head')) || null;
  if (storedHead) weights.delete('lm_head');
  const { tokenizer, tokenizerConfig, generationConfig, chatTemplate } = texts;
  return {
    name,
    config,
    rawConfig,
    weights,
    storedHead,
    texts: { tokenizer, tokenizerConfig, generationConfig, chatTemplate },
    fileBytes,
    checkUnchanged: () => files.checkUnchanged(),
    close: () => files.close(),
  };
}
