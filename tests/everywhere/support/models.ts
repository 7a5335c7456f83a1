// Seeded models as the bytes of one .safetensors file, which carries config and tokenizer.

import { GROUP_SIZE, LUT_ENTRIES, PALETTE_ROWS, paddedK } from '../../../bindings/formats.js';
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

export const SCHEMES = ['float', 'int8', 'int4', 'int4-asym', 'palettize4'] as const;
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

const PALETTE = {
  type: 'palettize',
  bits: 4,
  granularity: 'per_grouped_channel',
  group_size: PALETTE_ROWS,
  enable_per_channel_scale: true,
};

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
    const path = name.replace(/\.weight$/, '');
    if (scheme === 'palettize4') {
      stored.push(...palettized(path, tensor));
      meanings[path] = { ...PALETTE, in_features: k };
      continue;
    }
    const bits = scheme === 'int8' ? 8 : 4;
    const symmetric = scheme !== 'int4-asym';
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

/** One table for all groups, denser around zero; the largest weight of a row becomes its largest entry. */
function palettized(path: string, tensor: TinyTensor): Stored[] {
  const [n = 0, k = 0] = tensor.shape;
  const lut = [-63, -47, -36, -28, -21, -14, -8, -3, 3, 8, 14, 21, 28, 36, 47, 63];
  const groups = Math.ceil(n / PALETTE_ROWS);
  const stride = paddedK(k) / 2;
  const stream = new Uint8Array(n * stride);
  const scales = new Float32Array(n);
  for (let row = 0; row < n; row++) {
    const w = tensor.values.subarray(row * k, (row + 1) * k);
    const scale = f16ToF32(f32ToF16(w.reduce((a, b) => Math.max(a, Math.abs(b)), 0) / 63));
    scales[row] = scale;
    for (const [i, value] of w.entries()) {
      const above = lut.findIndex((entry) => scale * entry >= value);
      const index = above < 0 ? LUT_ENTRIES - 1 : above;
      stream[row * stride + (i >> 1)]! |= index << (4 * (i & 1));
    }
  }
  const tables = Int8Array.from({ length: groups * LUT_ENTRIES }, (_, i) => lut[i % LUT_ENTRIES]!);
  return [
    { name: `${path}.indices`, dtype: 'U8', shape: [n, stride], bytes: stream },
    { name: `${path}.channel_scale`, dtype: 'F16', shape: [n], bytes: encodeFloats('F16', scales) },
    {
      name: `${path}.lut`,
      dtype: 'I8',
      shape: [groups, LUT_ENTRIES],
      bytes: new Uint8Array(tables.buffer),
    },
  ];
}
