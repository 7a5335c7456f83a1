// config.json of a Hugging Face Llama, checked and in our words.

import { FormatError, UnsupportedError } from '../errors.js';
import {
  ARCHITECTURES,
  type Architecture,
  architectureRefusal,
  findArchitecture,
} from './architectures.js';
import { describe, JsonFields, type JsonObject, parseJsonObject } from './json_fields.js';
import { parseRope, type RopeSpec } from './rope_config.js';

export type { RopeScaling, RopeSpec } from './rope_config.js';

export interface ModelConfig {
  /** `architectures[0]` */
  readonly architecture: Architecture;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  /** `max_position_embeddings` */
  readonly contextLength: number;
  readonly rmsNormEps: number;
  readonly tiedEmbeddings: boolean;
  readonly rope: RopeSpec;
  readonly bosTokenId: number | null;
  readonly eosTokenIds: readonly number[];
}

/** Widths: byte offsets of a row stay far below 2^32, and no published model comes near. */
const MAX_WIDTH = 1 << 20;
/** Layers and heads: ten times the largest published models. */
const MAX_LAYERS = 4096;
const MAX_HEADS = 4096;
const MAX_HEAD_DIM = 1024;
/** Well inside float32: an eps that is zero there makes a row of zeros NaN. */
const MIN_NORM_EPS = 1e-30;
/** Tokens and positions pass through float32, which counts exactly up to here. */
const MAX_COUNT = 1 << 24;

/**
 * Checks and translates config.json.
 * @param config its text, or the object already parsed
 * @param name the file, for messages
 * @param generation generation_config.json, whose token ids win over config.json's
 * @throws FormatError for a field that is missing or out of range, UnsupportedError for another
 *   architecture or a feature halfbyte does not run
 */
export function parseConfig(
  config: string | JsonObject,
  name: string,
  generation: string | JsonObject | null = null,
): ModelConfig {
  const fields = new JsonFields(asObject(config, name), name);
  const generationName = 'generation_config.json';
  const generationFields =
    generation === null
      ? null
      : new JsonFields(asObject(generation, generationName), generationName);
  const architecture = parseArchitecture(fields);
  checkFeatures(fields);
  const vocabSize = fields.integer('vocab_size', 1, MAX_COUNT);
  return {
    architecture,
    hiddenSize: fields.integer('hidden_size', 1, MAX_WIDTH),
    intermediateSize: fields.integer('intermediate_size', 1, MAX_WIDTH),
    numLayers: fields.integer('num_hidden_layers', 1, MAX_LAYERS),
    ...parseHeads(fields),
    vocabSize,
    contextLength: fields.integer('max_position_embeddings', 1, MAX_COUNT),
    rmsNormEps: fields.number('rms_norm_eps', MIN_NORM_EPS, 1),
    tiedEmbeddings: fields.boolean('tie_word_embeddings', false),
    rope: parseRope(fields, MAX_COUNT),
    bosTokenId: tokenIds('bos_token_id', generationFields, fields, vocabSize)[0] ?? null,
    eosTokenIds: tokenIds('eos_token_id', generationFields, fields, vocabSize),
  };
}

function asObject(config: string | JsonObject, name: string): JsonObject {
  return typeof config === 'string' ? parseJsonObject(config, name) : config;
}

/** Both names, where both are there, must be of the same one. */
function parseArchitecture(fields: JsonFields): Architecture {
  const example = `["${Object.keys(ARCHITECTURES)[0]}"]`;
  const architectures = fields.get('architectures');
  const type = fields.get('model_type');
  if (architectures === undefined && type === undefined) {
    throw fields.wrong('architectures', example);
  }
  const refuse = (key: string, name: string) => {
    throw new UnsupportedError(`${fields.at(key)}: ${architectureRefusal(name)}`);
  };
  if (type !== undefined && typeof type !== 'string') throw fields.wrong('model_type', 'a string');
  const ofType = findArchitecture(type);
  if (architectures === undefined) return ofType ?? refuse('model_type', type as string);
  if (!Array.isArray(architectures) || typeof architectures[0] !== 'string') {
    throw fields.wrong('architectures', example);
  }
  const names = architectures.map((one) => (typeof one === 'string' ? one : describe(one)));
  const found = architectures.length === 1 ? findArchitecture(names[0]) : null;
  if (found === null) return refuse('architectures', names.join(', '));
  if (type !== undefined && ofType !== found) return refuse('model_type', type);
  return found;
}

/** Variants of Llama that would compute something else. */
function checkFeatures(fields: JsonFields): void {
  const activation = fields.string('hidden_act', 'silu');
  if (activation !== 'silu') throw unsupported(fields, 'hidden_act', activation, 'silu');
  for (const key of ['attention_bias', 'mlp_bias']) {
    if (fields.boolean(key, false)) throw unsupported(fields, key, 'true', 'false');
  }
  const window = fields.get('sliding_window');
  if (window !== undefined) throw unsupported(fields, 'sliding_window', describe(window), 'null');
}

function parseHeads(fields: JsonFields): {
  numHeads: number;
  numKvHeads: number;
  headDim: number;
} {
  const numHeads = fields.integer('num_attention_heads', 1, MAX_HEADS);
  const numKvHeads = fields.integer('num_key_value_heads', 1, MAX_HEADS, numHeads);
  if (numHeads % numKvHeads !== 0) {
    const expected = `a divisor of num_attention_heads ${numHeads}`;
    throw new FormatError(
      `${fields.at('num_key_value_heads')}: expected ${expected}, came ${numKvHeads}`,
    );
  }
  const hiddenSize = fields.integer('hidden_size', 1, MAX_WIDTH);
  if (!fields.has('head_dim') && hiddenSize % numHeads !== 0) {
    const expected = `a divisor of hidden_size ${hiddenSize} where head_dim is absent`;
    throw new FormatError(
      `${fields.at('num_attention_heads')}: expected ${expected}, came ${numHeads}`,
    );
  }
  const headDim = fields.integer('head_dim', 1, MAX_HEAD_DIM, hiddenSize / numHeads);
  if (headDim % 2 !== 0) {
    const expected = 'an even number, for rope turns pairs';
    throw new FormatError(`${fields.at('head_dim')}: expected ${expected}, came ${headDim}`);
  }
  if (numHeads * headDim > MAX_WIDTH) {
    const expected = `at most ${MAX_WIDTH} over all ${numHeads} num_attention_heads`;
    throw new FormatError(
      `${fields.at('head_dim')}: expected ${expected}, came ${numHeads * headDim}`,
    );
  }
  return { numHeads, numKvHeads, headDim };
}

/** One id, several, or none; the first of the files that has the field counts. */
function tokenIds(
  key: string,
  generation: JsonFields | null,
  config: JsonFields,
  vocabSize: number,
): number[] {
  const fields = generation?.has(key) ? generation : config;
  const value = fields.get(key);
  if (value === undefined) return [];
  const ids: unknown[] = Array.isArray(value) ? value : [value];
  const valid = ids.every((id) => {
    return Number.isInteger(id) && (id as number) >= 0 && (id as number) < vocabSize;
  });
  if (!valid) throw fields.wrong(key, `token ids from 0 to ${vocabSize - 1}`);
  return ids as number[];
}

function unsupported(
  fields: JsonFields,
  key: string,
  came: string,
  supported: string,
): UnsupportedError {
  return new UnsupportedError(`${fields.at(key)}: ${came} is not supported, only ${supported}`);
}
