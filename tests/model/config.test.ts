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
  const plain = parse({ rope_theta: 7, rope_parameters: { rope_theta: 7 } }).rope;
  assert.equal(plain, { theta: 7, style: 'halves', scaling: null });
  const both = { rope_scaling: { type: 'llama3', ...llama3 }, rope_theta: 500000 };
  assert.equal(parse({ ...both, rope_parameters: parameters }).rope, rope);
});

test('rope under both names must be one rope', async () => {
  const linear = { rope_type: 'linear', factor: 2 };
  const cases: [change: object, parts: string[]][] = [
    [{ rope_theta: 3, rope_parameters: { rope_theta: 7 } }, ['rope_theta', '7', 'came 3']],
    [
      { rope_scaling: linear, rope_parameters: { ...linear, factor: 4 } },
      ['rope_scaling', '4', '2'],
    ],
    [{ rope_scaling: linear, rope_parameters: { rope_theta: 10000 } }, ['rope_scaling', 'null']],
    [{ rope_scaling: { rope_type: 'default' }, rope_parameters: linear }, ['rope_scaling', 'null']],
  ];
  for (const [change, parts] of cases) {
    const named = ['[config.json]', 'rope_parameters', ...parts];
    await raises(() => parse(change), 'FORMAT', named, JSON.stringify(change));
  }
});

test('values that can only give NaN are refused, with the range', async () => {
  const LLAMA3 = { rope_type: 'llama3', factor: 8, original_max_position_embeddings: 64 };
  const cases: [key: string, of: (value: unknown) => object, good: number[], range: string][] = [
    ['rope_theta', (rope_theta) => ({ rope_theta }), [1, 1e12], 'from 1 to 1000000000000'],
    [
      'rope_parameters.rope_theta',
      (rope_theta) => ({ rope_theta: undefined, rope_parameters: { rope_theta } }),
      [1, 1e12],
      'from 1 to 1000000000000',
    ],
    ['rms_norm_eps', (rms_norm_eps) => ({ rms_norm_eps }), [1e-30, 1e-5, 1], 'from 1e-30 to 1'],
    [
      'rope_scaling.factor',
      (factor) => ({ rope_scaling: { type: 'linear', factor } }),
      [1, 1e4],
      'from 1 to 10000',
    ],
    [
      'rope_scaling.factor',
      (factor) => ({
        rope_scaling: { ...LLAMA3, factor, low_freq_factor: 1, high_freq_factor: 4 },
      }),
      [1, 1e4],
      'from 1 to 10000',
    ],
    [
      'rope_scaling.low_freq_factor',
      (low_freq_factor) => ({
        rope_scaling: { ...LLAMA3, low_freq_factor, high_freq_factor: 1e4 },
      }),
      [1],
      'above 0',
    ],
  ];
  const bad = ['0', '-1', '1e-400', '-1e-300', '1e999', '-1e999', '"1"', '"NaN"', '[1]', 'true'];
  for (const [key, change, good, range] of cases) {
    for (const value of good) parse(change(value));
    const least = key.endsWith('low_freq_factor') ? [] : ['1e-300', '1e-39'];
    for (const value of [...bad, ...least, '1e300']) {
      // From text, as JSON has infinities that JSON.stringify has not.
      const text = JSON.stringify({ ...config, ...change('HERE') }).replace('"HERE"', value);
      const named = ['[config.json]', key, range];
      await raises(() => parseConfig(text, 'config.json'), 'FORMAT', named, `${key} ${value}`);
    }
  }
});

test('an infinity in JSON is told as one', () => {
  const text = JSON.stringify({ ...config, rope_theta: 'X' }).replace('"X"', '1e999');
  return raises(() => parseConfig(text, 'config.json'), 'FORMAT', ['came Infinity']);
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
  [
    { architectures: ['MistralForCausalLM'] },
    'UNSUPPORTED',
    ['MistralForCausalLM is not supported; what runs: LlamaForCausalLM (Llama 2 and 3, '],
  ],
  [
    { architectures: ['BertModel'], model_type: 'bert' },
    'UNSUPPORTED',
    ['[config.json]', 'BertModel', 'embeddings or labels, not text', 'LlamaForCausalLM'],
  ],
  [{ architectures: ['MPNetForMaskedLM'] }, 'UNSUPPORTED', ['embeddings']],
  [{ architectures: ['Qwen2ForSequenceClassification'] }, 'UNSUPPORTED', ['embeddings']],
  [{ architectures: ['LlamaModel'] }, 'UNSUPPORTED', ['embeddings', 'LlamaForCausalLM']],
  [{ architectures: undefined, model_type: 'xlm-roberta' }, 'UNSUPPORTED', ['embeddings']],
  [{ architectures: ['GPT2LMHeadModel'] }, 'UNSUPPORTED', ['GPT2LMHeadModel is not supported']],
  [{ architectures: ['RobertaForCausalLM'] }, 'UNSUPPORTED', ['CausalLM is not supported']],
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
  [
    { num_attention_heads: 4096, head_dim: 1024 },
    'FORMAT',
    ['head_dim', 'at most 1048576', '4096 num_attention_heads', 'came 4194304'],
  ],
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
