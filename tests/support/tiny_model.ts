// A Llama of a few thousand seeded float32 weights, in memory: for tests that need a model, not its
// words.

import type { Checkpoint } from '../../bindings/model/checkpoint.js';
import type { ModelConfig } from '../../bindings/model/config.js';
import {
  type ByteSource,
  floatWeight as floatWeightOf,
  type Weight,
} from '../../bindings/model/weight.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { TestRandom } from './random.js';

export * from './tiny_llama.js';

/** Grouped-query attention, an intermediate size off the block of 32, a context of three pages. */
export function tinyConfig(): ModelConfig {
  return {
    architecture: 'LlamaForCausalLM',
    hiddenSize: 32,
    intermediateSize: 44,
    numLayers: 2,
    numHeads: 4,
    numKvHeads: 2,
    headDim: 8,
    vocabSize: 65,
    contextLength: 96,
    rmsNormEps: 1e-5,
    tiedEmbeddings: true,
    rope: { theta: 10000, style: 'halves', scaling: null },
    bosTokenId: 1,
    eosTokenIds: [2],
  };
}

/** A checkpoint with seeded weights for every weight of the config's plan. */
export function tinyCheckpoint(seed: number, config: ModelConfig = tinyConfig()): Checkpoint {
  const random = new TestRandom(seed);
  const weights = new Map<string, Weight>();
  for (const [path, shape] of planFor(config).weights) {
    const count = shape.reduce((a, b) => a * b, 1);
    const k = shape[shape.length - 1]!;
    const values = Float32Array.from({ length: count }, () =>
      shape.length === 1 ? random.between(0.5, 1.5) : random.normal() / Math.sqrt(k),
    );
    weights.set(path, floatWeight(path, shape, values));
  }
  return {
    name: 'tiny',
    config,
    rawConfig: {},
    weights,
    storedHead: null,
    texts: {
      tokenizer: null,
      tokenizerConfig: null,
      generationConfig: null,
      chatTemplate: null,
    },
    fileBytes: 0,
    checkUnchanged: async () => {},
    close: async () => {},
  };
}

/** A float32 weight that lies in memory. */
export function floatWeight(path: string, shape: readonly number[], values: Float32Array): Weight {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const part = {
    name: path,
    source: bytesSource(path, bytes),
    offset: 0,
    bytes: bytes.length,
  };
  return floatWeightOf(path, shape, 'f32', part);
}

/** Bytes in memory as a source. */
export function bytesSource(name: string, bytes: Uint8Array): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (offset, into) => into.set(bytes.subarray(offset, offset + into.length)),
    close: async () => {},
  };
}
