// A seeded Llama as tensors, and tensors as safetensors bytes; runs in every runtime. Sizes are
// hostile by default: grouped-query attention, an intermediate size off the block of 32, two blocks
// of hidden.

import { bf16ToF32, f16ToF32, f32ToBf16, f32ToF16 } from '../../bindings/formats/float16.js';
import { FLOAT_BYTES } from '../../bindings/formats/format.js';
import { encodeHeader } from '../../bindings/model/safetensors.js';
import { TestRandom } from './random.js';

export type TensorDtype = 'F32' | 'F16' | 'BF16' | 'U32' | 'U8';

export interface TinyTensor {
  readonly shape: readonly number[];
  /** Row-major; exactly representable in the dtype they are written with. */
  readonly values: Float32Array;
}

export interface TinyOptions {
  readonly seed: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly numKvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  readonly contextLength: number;
  readonly tied: boolean;
  readonly dtype: 'F32' | 'F16' | 'BF16';
}

export const TINY_DEFAULTS: TinyOptions = {
  seed: 1,
  hiddenSize: 64,
  intermediateSize: 172,
  numLayers: 2,
  numHeads: 4,
  numKvHeads: 2,
  headDim: 16,
  vocabSize: 300,
  contextLength: 128,
  tied: true,
  dtype: 'F32',
};

/** config.json and the tensors by name, `model.embed_tokens.weight` and so on. */
export function tinyLlama(options: Partial<TinyOptions> = {}): {
  config: Record<string, unknown>;
  tensors: Map<string, TinyTensor>;
} {
  const o = { ...TINY_DEFAULTS, ...options };
  const random = new TestRandom(o.seed);
  const tensors = new Map<string, TinyTensor>();
  for (const [path, shape] of tinyShapes(o)) {
    const [n, k] = shape;
    // Matrices double the size of what they read, so that logits depend on more than the last
    // token.
    const draw =
      k === undefined ? () => random.between(0.5, 1.5) : normal(random, deviation(path, k));
    const values = Float32Array.from({ length: n! * (k ?? 1) }, draw);
    tensors.set(`${path}.weight`, {
      shape,
      values: values.map((x) => roundTo(o.dtype, x)),
    });
  }
  return { config: tinyHfConfig(o), tensors };
}

/** A safetensors file of these tensors, in this order. */
export function safetensorsBytes(
  tensors: Iterable<{
    readonly name: string;
    readonly dtype: string;
    readonly shape: readonly number[];
    readonly bytes: Uint8Array;
  }>,
  metadata?: Readonly<Record<string, string>>,
): Uint8Array {
  const list = [...tensors];
  const sized = list.map((tensor) => ({
    ...tensor,
    bytes: tensor.bytes.length,
  }));
  return safetensorsFile(encodeHeader(sized, metadata), ...list.map(({ bytes }) => bytes));
}

/** A file of that header, right or wrong (an object becomes JSON), and those bytes behind it. */
export function safetensorsFile(header: Uint8Array | object, ...data: Uint8Array[]): Uint8Array {
  const text =
    header instanceof Uint8Array ? header : new TextEncoder().encode(JSON.stringify(header));
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(text.length), true);
  const parts = [length, text, ...data];
  const file = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    file.set(part, at);
    at += part.length;
  }
  return file;
}

/** Values as the bytes of a float dtype, rounded to nearest. */
export function encodeFloats(dtype: 'F32' | 'F16' | 'BF16', values: Float32Array): Uint8Array {
  const out = new Uint8Array(values.length * FLOAT_BYTES[dtype === 'F32' ? 'f32' : 'f16']);
  const view = new DataView(out.buffer);
  for (const [i, value] of values.entries()) {
    if (dtype === 'F32') view.setFloat32(4 * i, value, true);
    else view.setUint16(2 * i, dtype === 'F16' ? f32ToF16(value) : f32ToBf16(value), true);
  }
  return out;
}

function tinyShapes(o: TinyOptions): [string, number[]][] {
  const q = o.numHeads * o.headDim;
  const kv = o.numKvHeads * o.headDim;
  const shapes: [string, number[]][] = [['model.embed_tokens', [o.vocabSize, o.hiddenSize]]];
  for (let layer = 0; layer < o.numLayers; layer++) {
    const at = `model.layers.${layer}`;
    shapes.push(
      [`${at}.input_layernorm`, [o.hiddenSize]],
      [`${at}.self_attn.q_proj`, [q, o.hiddenSize]],
      [`${at}.self_attn.k_proj`, [kv, o.hiddenSize]],
      [`${at}.self_attn.v_proj`, [kv, o.hiddenSize]],
      [`${at}.self_attn.o_proj`, [o.hiddenSize, q]],
      [`${at}.post_attention_layernorm`, [o.hiddenSize]],
      [`${at}.mlp.gate_proj`, [o.intermediateSize, o.hiddenSize]],
      [`${at}.mlp.up_proj`, [o.intermediateSize, o.hiddenSize]],
      [`${at}.mlp.down_proj`, [o.hiddenSize, o.intermediateSize]],
    );
  }
  shapes.push(['model.norm', [o.hiddenSize]]);
  if (!o.tied) shapes.push(['lm_head', [o.vocabSize, o.hiddenSize]]);
  return shapes;
}

function tinyHfConfig(o: TinyOptions): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: o.hiddenSize,
    intermediate_size: o.intermediateSize,
    num_hidden_layers: o.numLayers,
    num_attention_heads: o.numHeads,
    num_key_value_heads: o.numKvHeads,
    head_dim: o.headDim,
    vocab_size: o.vocabSize,
    max_position_embeddings: o.contextLength,
    rms_norm_eps: 1e-5,
    rope_theta: 10000,
    rope_scaling: null,
    hidden_act: 'silu',
    tie_word_embeddings: o.tied,
    attention_bias: false,
    mlp_bias: false,
    bos_token_id: 1,
    eos_token_id: 2,
    torch_dtype: { F32: 'float32', F16: 'float16', BF16: 'bfloat16' }[o.dtype],
  };
}

function deviation(path: string, k: number): number {
  if (path === 'model.embed_tokens') return 0.5;
  return (path === 'lm_head' ? 1 : 2) / Math.sqrt(k);
}

function normal(random: TestRandom, scale: number): () => number {
  return () => random.normal() * scale;
}

function roundTo(dtype: TinyOptions['dtype'], x: number): number {
  if (dtype === 'F16') return f16ToF32(f32ToF16(x));
  return dtype === 'BF16' ? bf16ToF32(f32ToBf16(x)) : x;
}
