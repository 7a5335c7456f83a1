// Seeded models as the bytes of one .safetensors file, which carries config and tokenizer.

import { GROUP_SIZE, paddedK } from '../../../bindings/formats.js';
import { f16ToF32, f32ToF16 } from '../../../bindings/model/float16.js';
import { tinyTokenizer, tinyTokenizerConfig } from '../../support/tiny_tokenizer.js';
import {
  encodeFloats,
  safetensorsBytes,
  TINY_DEFAULTS,
  type TinyOptions,
  type TinyTensor,
  tinyLlama,
} from '../../support/tiny_weights.js';

export const SCHEMES = ['float', 'int8', 'int4', 'int4-asym'] as const;
export type Scheme = (typeof SCHEMES)[number];

/** A context of ten pages, more than one segment of attention. */
const SHAPE: Partial<TinyOptions> = { seed: 5, contextLength: 320 };

export interface Stored {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

export interface ModelFile {
  readonly config: Record<string, unknown>;
  readonly tensors: Stored[];
}

const made = new Map<Scheme, Uint8Array>();

/** The model of that scheme; all are made from the same floats. Callers must not change the bytes. */
export function modelBytes(scheme: Scheme): Uint8Array {
  const bytes = made.get(scheme) ?? fileBytes(modelFile(scheme));
  made.set(scheme, bytes);
  return bytes;
}

/** Its config and tensors, new ones on every call. */
export function modelFile(scheme: Scheme, options: Partial<TinyOptions> = {}): ModelFile {
  const { config, tensors } = tinyLlama({ ...SHAPE, ...options });
  const stored: Stored[] = [];
  const meanings: Record<string, unknown> = {};
  for (const [name, tensor] of tensors) {
    const [, k] = tensor.shape;
    if (scheme === 'float' || k === undefined) {
      const bytes = encodeFloats('F32', tensor.values);
      stored.push({ name, dtype: 'F32', shape: tensor.shape, bytes });
      continue;
    }
    const bits = scheme === 'int8' ? 8 : 4;
    const symmetric = scheme !== 'int4-asym';
    const path = name.replace(/\.weight$/, '');
    stored.push(...quantized(path, tensor, bits, symmetric));
    meanings[path] = { type: 'linear', bits, group_size: GROUP_SIZE, symmetric, in_features: k };
  }
  if (scheme === 'float') return { config, tensors: stored };
  const quantization = { quant_method: 'halfbyte', version: 1, tensors: meanings };
  return { config: { ...config, quantization_config: quantization }, tensors: stored };
}

export function fileBytes({ config, tensors }: ModelFile): Uint8Array {
  const vocabSize = config['vocab_size'];
  return safetensorsBytes(tensors, {
    config: JSON.stringify(config),
    generation_config: JSON.stringify({ bos_token_id: 1, eos_token_id: 2 }),
    tokenizer: JSON.stringify(
      tinyTokenizer(typeof vocabSize === 'number' ? vocabSize : TINY_DEFAULTS.vocabSize),
    ),
    tokenizer_config: JSON.stringify(tinyTokenizerConfig()),
  });
}

/** Plain rounding, no search for the best scale: what counts here is that all runtimes read one file. */
function quantized(path: string, tensor: TinyTensor, bits: 4 | 8, symmetric: boolean): Stored[] {
  const [n = 0, k = 0] = tensor.shape;
  const groups = paddedK(k) / GROUP_SIZE;
  const most = 2 ** bits - 1;
  const zero = 2 ** (bits - 1);
  const stream = new Uint8Array((n * paddedK(k) * bits) / 8);
  const scales = new Float32Array(n * groups);
  const biases = new Float32Array(n * groups);
  for (let g = 0; g < n * groups; g++) {
    const row = Math.floor(g / groups);
    const begin = (g % groups) * GROUP_SIZE;
    const w = tensor.values.subarray(row * k + begin, row * k + Math.min(begin + GROUP_SIZE, k));
    const low = w.reduce((a, b) => Math.min(a, b));
    const high = w.reduce((a, b) => Math.max(a, b));
    const step = symmetric ? Math.max(high, -low) / (zero - 1) : (high - low) / most;
    const scale = f16ToF32(f32ToF16(step));
    const bias = symmetric ? -zero * scale : f16ToF32(f32ToF16(low));
    scales[g] = scale;
    biases[g] = bias;
    for (let i = 0; i < w.length; i++) {
      const level = Math.floor((w[i]! - bias) / scale + 0.5);
      const q = Math.max(0, Math.min(most, level));
      const at = row * paddedK(k) + begin + i;
      if (bits === 8) stream[at] = q;
      else stream[at >> 1]! |= q << (4 * (at & 1));
    }
  }
  const shape = [n, groups];
  const words = [n, (paddedK(k) * bits) / 32];
  return [
    { name: `${path}.weight`, dtype: 'U32', shape: words, bytes: stream },
    { name: `${path}.scales`, dtype: 'F16', shape, bytes: encodeFloats('F16', scales) },
    ...(symmetric
      ? []
      : [{ name: `${path}.biases`, dtype: 'F16', shape, bytes: encodeFloats('F16', biases) }]),
  ];
}
