// A checkpoint on disk: config, weights by path, and the texts beside them.

import type { ModelConfig } from './config.js';
import type { Weight } from './weight.js';

export interface Checkpoint {
  /** For messages: the path or URL it was opened from. */
  readonly name: string;
  readonly config: ModelConfig;
  /** config.json as it was, for writing another checkpoint. */
  readonly rawConfig: Readonly<Record<string, unknown>>;
  /** Every weight by path (`model.embed_tokens`, `model.layers.0.mlp.up_proj`, `model.norm`, `lm_head`). */
  readonly weights: ReadonlyMap<string, Weight>;
  /** JSON texts of the side files, null where there is none (chatTemplate: Jinja text). */
  readonly texts: {
    readonly tokenizer: string | null;
    readonly tokenizerConfig: string | null;
    readonly generationConfig: string | null;
    readonly chatTemplate: string | null;
  };
  /** Bytes of the safetensors files. */
  readonly fileBytes: number;
  close(): Promise<void>;
}
