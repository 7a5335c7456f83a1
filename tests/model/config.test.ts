import { test } from 'uvu';
import * as assert from 'uvu/assert';
import type { ErrorCode } from '../../bindings/errors.js';
import { parseConfig } from '../../bindings/model/config.js';
import { raises } from '../support/raises.js';
import { tinyLlama } from '../support/tiny_model.js';

const { config } = tinyLlama();
const parse = (change: object, generation: object | null = null) => {
  const text = JSON.stringify({ ...config, ...change });
  return parseConfig(text, 'config.json', generation && JSON.stringify(generation));
};

test('a Llama in our words', () => {
  assert.equal(parse({}), {
    architecture: 'LlamaForCausalLM',
    hiddenSize: 64,
    intermediateSize: 172,
    numLayers: 2,
    numHeads: 4,
    numKvHeads: 2,
    headDim: 16,
    vocabSize: 300,
    contextLength: 128,
    rmsNormEps: 1e-5,
    tiedEmbeddings: true,
    rope: { theta: 10000, style: 'halves', scaling: null },
    bosTokenId: 1,
    eosTokenIds: [2],
  });
});

test('fields that may be absent have the values of Hugging Face', () => {
  const absent = {
    num_key_value_heads: null,
    head_dim: null,
    rope_theta: undefined,
    hidden_act: undefined,
    tie_word_embeddings: undefined,
    bos_token_id: null,
    eos_token_id: undefined,
    architectures: undefined,
  };
  const { numKvHeads, headDim, rope, tiedEmbeddings, bosTokenId, eosTokenIds } = parse(absent);
  assert.equal([numKvHeads, headDim, rope.theta, tiedEmbeddings], [4, 16, 10000, false]);
  assert.equal([bosTokenId, eosTokenIds], [null, []]);
});

test('generation_config.json has the last word on token ids', () => {
  assert.equal(parse({}, { eos_token_id: [7, 9] }).eosTokenIds, [7, 9]);
  assert.equal(parse({ eos_token_id: [3, 4] }, { bos_token_id: 5 }).eosTokenIds, [3, 4]);
  assert.is(parse({}, { bos_token_id: 5 }).bosTokenId, 5);
  assert.equal(parse({}, { eos_token_id: null }).eosTokenIds, [2]);
});

test('rope scaling, under its old names and its new', () => {
  const llama3 = {
    factor: 8,
    low_freq_factor: 1,
    high_freq_factor: 4,
    original_max_position_embeddings: 64,
  };
  const expected = {
    type: 'llama3',
    factor: 8,
    lowFreqFactor: 1,
    highFreqFactor: 4,
    originalContext: 64,
  };
  const scaling = (value: object) => parse({ rope_scaling: value }).rope.scaling;
  assert.equal(scaling({ type: 'linear', factor: 2 }), { type: 'linear', factor: 2 });
  assert.equal(scaling({ rope_type: 'llama3', ...llama3 }), expected);
  assert.is(scaling({ rope_type: 'default' }), null);
  const parameters = { rope_type: 'llama3', rope_theta: 500000, ...llama3 };
  const { rope } = parse({ rope_theta: undefined, rope_parameters: parameters });
  assert.equal(rope, { theta: 500000, style: 'halves', scaling: expected });
  const plain = parse({ rope_theta: 3, rope_parameters: { rope_theta: 7 } }).rope;
  assert.equal(plain, { theta: 7, style: 'halves', scaling: null });
});

const SIZES = [
  'hidden_size',
  'intermediate_size',
  'num_hidden_layers',
  'num_attention_heads',
  'vocab_size',
  'max_position_embeddings',
];

test('sizes that are missing, zero, negative, huge, fractional or of the wrong type', async () => {
  for (const key of [...SIZES, 'rms_norm_eps']) {
    for (const value of [undefined, null, 0, -4, 1e15, 'x', [], {}, true]) {
      const came = value === undefined ? 'nothing' : JSON.stringify(value);
      await raises(() => parse({ [key]: value }), 'FORMAT', ['[config.json]', key, came], key);
    }
  }
  for (const key of SIZES) await raises(() => parse({ [key]: 1.5 }), 'FORMAT', [key, 1.5], key);
  for (const key of ['num_key_value_heads', 'head_dim', 'rope_theta']) {
    for (const value of [0, -4, 1e15, 'x', []]) {
      await raises(() => parse({ [key]: value }), 'FORMAT', [key, JSON.stringify(value)], key);
    }
  }
});

const REFUSED: readonly [change: object, code: ErrorCode, parts: (string | number)[]][] = [
  [{ architectures: ['MistralForCausalLM'] }, 'UNSUPPORTED', ['MistralForCausalLM', 'Llama']],
  [{ architectures: 'LlamaForCausalLM' }, 'FORMAT', ['architectures']],
  [{ architectures: [] }, 'FORMAT', ['architectures', '[]']],
  [{ architectures: undefined, model_type: undefined }, 'FORMAT', ['architectures', 'nothing']],
  [{ architectures: undefined, model_type: 'gpt2' }, 'UNSUPPORTED', ['model_type', 'gpt2']],
  [{ model_type: 'qwen2' }, 'UNSUPPORTED', ['model_type', 'qwen2']],
  [{ hidden_act: 'gelu' }, 'UNSUPPORTED', ['hidden_act', 'gelu', 'silu']],
  [{ attention_bias: true }, 'UNSUPPORTED', ['attention_bias', 'true']],
  [{ mlp_bias: true }, 'UNSUPPORTED', ['mlp_bias', 'true']],
  [{ mlp_bias: 'no' }, 'FORMAT', ['mlp_bias', '"no"']],
  [{ tie_word_embeddings: 1 }, 'FORMAT', ['tie_word_embeddings', 1]],
  [{ sliding_window: 4096 }, 'UNSUPPORTED', ['sliding_window', 4096]],
  [{ partial_rotary_factor: 0.5 }, 'UNSUPPORTED', ['partial_rotary_factor', 0.5]],
  [{ num_key_value_heads: 3 }, 'FORMAT', ['num_key_value_heads', 3, 4]],
  [{ num_key_value_heads: 8 }, 'FORMAT', ['num_key_value_heads', 8, 4]],
  [{ head_dim: 7 }, 'FORMAT', ['head_dim', 'even', 7]],
  [{ head_dim: null, hidden_size: 66 }, 'FORMAT', ['num_attention_heads', 66, 4]],
  [{ eos_token_id: 300 }, 'FORMAT', ['eos_token_id', 299, 300]],
  [{ eos_token_id: [2, -1] }, 'FORMAT', ['eos_token_id', '[2,-1]']],
  [{ bos_token_id: '1' }, 'FORMAT', ['bos_token_id', '"1"']],
  [{ rope_scaling: 3 }, 'FORMAT', ['rope_scaling', 3]],
  [{ rope_scaling: { factor: 2 } }, 'FORMAT', ['rope_scaling.type', 'nothing']],
  [{ rope_scaling: { type: 'yarn', factor: 2 } }, 'UNSUPPORTED', ['rope_scaling.type', 'yarn']],
  [{ rope_scaling: { type: 'linear', factor: 0 } }, 'FORMAT', ['rope_scaling.factor', 0]],
  [{ rope_scaling: { rope_type: 'llama3', factor: 2 } }, 'FORMAT', ['low_freq_factor', 'nothing']],
  [
    { rope_scaling: { rope_type: 'llama3', low_freq_factor: 4, high_freq_factor: 1 } },
    'FORMAT',
    ['high_freq_factor', 4, 1],
  ],
];

for (const [change, code, parts] of REFUSED) {
  test(`refused: ${JSON.stringify(change)}`, () => {
    return raises(() => parse(change), code, ['[config.json]', ...parts]);
  });
}

test('texts that are no JSON object are refused by file', async () => {
  await raises(() => parseConfig('{', 'c.json'), 'FORMAT', ['[c.json]', 'JSON']);
  await raises(() => parseConfig('[1]', 'c.json'), 'FORMAT', ['[c.json]', '[1]']);
  await raises(() => parseConfig(config, 'c.json', 'x'), 'FORMAT', ['[generation_config.json]']);
});

test.run();
