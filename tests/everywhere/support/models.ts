// Seeded models as the bytes of one .safetensors file, which carries config and tokenizer.

import { stripPart } from '../../../bindings/compress/fit/strip_parts.js';
import { inTwoLevels } from '../../../bindings/compress/fit/two_levels.js';
import { BitStream, packBits, unpackBits } from '../../../bindings/formats/bits.js';
import { codecOf, formatName } from '../../../bindings/formats/codecs.js';
import { encodeFloats as floatBytes } from '../../../bindings/formats/float_bytes.js';
import { f16ToF32, f32ToF16 } from '../../../bindings/formats/float16.js';
import {
  ALL,
  groupCount,
  paddedK,
  type ScaleFormat,
  type WeightFormat,
  withNonZeros,
  withOutliers,
} from '../../../bindings/formats/format.js';
import { encodeEntries, entryBits } from '../../../bindings/formats/lut_entry.js';
import type { Outliers } from '../../../bindings/formats/outliers.js';
import { tableCount } from '../../../bindings/formats/palette_codec.js';
import type { Role } from '../../../bindings/formats/parts.js';
import { encodeStarts, rowStarts, valuesOf } from '../../../bindings/formats/sparse.js';
import { halfbyteKeys } from '../../../bindings/model/schemes/halfbyte.js';
import { outlierBytes, PACKED_FORMATS, wholeRows } from '../../support/formats.js';
import { tinyTokenizer, tinyTokenizerConfig } from '../../support/tiny_tokenizer.js';
import {
  encodeFloats,
  safetensorsBytes,
  TINY_DEFAULTS,
  type TinyOptions,
  type TinyTensor,
  tinyLlama,
} from '../../support/tiny_weights.js';

const FORMAT_OF: ReadonlyMap<string, WeightFormat> = new Map(
  PACKED_FORMATS.map((format) => [formatName(format), format]),
);

/** `float`, and every packed format by its name. */
export const SCHEMES: readonly string[] = ['float', ...FORMAT_OF.keys()];

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

const made = new Map<string, Uint8Array>();

/** The model of that scheme; all are made from the same floats. Callers must not change the bytes. */
export function modelBytes(scheme: string): Uint8Array {
  const bytes = made.get(scheme) ?? fileBytes(modelFile(scheme));
  made.set(scheme, bytes);
  return bytes;
}

/** Its config and tensors, new ones on every call. */
export function modelFile(scheme: string, options: Partial<TinyOptions> = {}): ModelFile {
  const format = FORMAT_OF.get(scheme);
  const shape = { ...SHAPE, ...options };
  const { intermediateSize = TINY_DEFAULTS.intermediateSize } = shape;
  const whole = format ? wholeRows(format, intermediateSize) : intermediateSize;
  const { config, tensors } = tinyLlama({ ...shape, intermediateSize: whole });
  const stored: Stored[] = [];
  const packed: { path: string; k: number; format: WeightFormat }[] = [];
  for (const [name, tensor] of tensors) {
    const [, k] = tensor.shape;
    if (!format || k === undefined) {
      const bytes = encodeFloats('F32', tensor.values);
      stored.push({ name, dtype: 'F32', shape: tensor.shape, bytes });
      continue;
    }
    const path = name.replace(/\.weight$/, '');
    stored.push(...storedParts(path, tensor, format));
    packed.push({ path, k, format });
  }
  return { config: format ? { ...config, ...halfbyteKeys(packed) } : config, tensors: stored };
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

type Values = Partial<Record<Role, Uint8Array>>;

function storedParts(path: string, tensor: TinyTensor, format: WeightFormat): Stored[] {
  const [n = 0, k = 0] = tensor.shape;
  const outliers = format.outliers && someOutliers(tensor);
  const bytes: Values = {
    ...(format.sparse ? pruned(tensor, format) : dense(tensor, format)),
    ...(outliers && outlierBytes(outliers)),
  };
  const nonZeros = bytes.starts ? rowStarts(bytes.starts).at(-1)! : 0;
  const whole = withNonZeros(withOutliers(format, outliers?.values.length ?? 0), nonZeros);
  return codecOf(whole)
    .parts(whole, n, k)
    .map(({ role, suffix, dtype, shape }) => {
      return { name: `${path}.${suffix}`, dtype, shape, bytes: bytes[role]! };
    });
}

function dense(tensor: TinyTensor, format: WeightFormat): Values {
  if (format.float) return { codes: floatBytes(tensor.values, format.float) };
  if (format.scale?.super) return inSteps(tensor, format);
  if (format.lut) return palettized(tensor, format);
  const { codes, scales, biases } = quantized(tensor, format);
  return {
    codes: packBits(codes, format.bits),
    scales: encodeFloats('F16', scales),
    biases: encodeFloats('F16', biases),
  };
}

/** Of every row the weights of more than its mean magnitude are there, with what they are in a dense weight. */
function pruned(tensor: TinyTensor, format: WeightFormat): Values {
  const [n = 0, k = 0] = tensor.shape;
  const { codes, ...others } = dense(tensor, valuesOf(format));
  // A float is a code of some bytes, and has no padding.
  const size = format.float ? format.bits / 8 : 1;
  const stride = format.float ? k : paddedK(k);
  const all = unpackBits(codes!, format.float ? 8 : format.bits, n * stride * size);
  const bits = new Uint8Array(n * paddedK(k));
  const starts = [0];
  const kept: number[] = [];
  for (let row = 0; row < n; row++) {
    const w = tensor.values.subarray(row * k, (row + 1) * k);
    const mean = w.reduce((sum, value) => sum + Math.abs(value), 0) / k;
    for (const [i, value] of w.entries()) {
      if (Math.abs(value) <= mean) continue;
      bits[row * paddedK(k) + i] = 1;
      const at = (row * stride + i) * size;
      kept.push(...all.subarray(at, at + size));
    }
    starts.push(kept.length / size);
  }
  const stream = new BitStream(format.float ? 8 : format.bits);
  const whole = stream.append(Uint8Array.from(kept));
  const nonZeros = Uint8Array.from([...whole, ...stream.end()]);
  return { ...others, codes: nonZeros, mask: packBits(bits, 1), starts: encodeStarts(starts) };
}

/** As large again as the weight at every 61st place. */
function someOutliers({ shape: [, k = 0], values }: TinyTensor): Outliers {
  const places = Array.from({ length: Math.floor(values.length / 61) }, (_, i) => i * 61);
  return {
    rows: places.map((place) => Math.floor(place / k)),
    columns: places.map((place) => place % k),
    values: places.map((place) => values[place]!),
  };
}

/** Plain rounding, no search for the best scale: what counts here is that all runtimes read one file. */
function quantized(tensor: TinyTensor, { bits, scale, bias: asymmetric }: WeightFormat) {
  const [n = 0, k = 0] = tensor.shape;
  // What shares a scale, in the order of the weights: a group, a row, or all of them.
  const row = scale!.rows === ALL ? n * k : k;
  const length = scale!.k === ALL ? row : scale!.k;
  const groups = scale!.rows === ALL ? 1 : n * groupCount(scale!, k);
  const perRow = Math.ceil(row / length);
  const most = 2 ** bits - 1;
  const zero = 2 ** (bits - 1);
  const codes = new Uint8Array(n * paddedK(k));
  const scales = new Float32Array(groups);
  const biases = new Float32Array(groups);
  for (let g = 0; g < groups; g++) {
    const begin = Math.floor(g / perRow) * row + (g % perRow) * length;
    const end = Math.min(begin + length, (Math.floor(g / perRow) + 1) * row);
    const w = tensor.values.subarray(begin, end);
    const low = w.reduce((a, b) => Math.min(a, b));
    const high = w.reduce((a, b) => Math.max(a, b));
    const step = asymmetric ? (high - low) / most : Math.max(high, -low) / (zero - 1);
    const rounded = f16ToF32(f32ToF16(step));
    const bias = asymmetric ? f16ToF32(f32ToF16(low)) : -zero * rounded;
    scales[g] = rounded;
    biases[g] = bias;
    for (let i = begin; i < end; i++) {
      const level = Math.floor((tensor.values[i]! - bias) / rounded + 0.5);
      codes[Math.floor(i / k) * paddedK(k) + (i % k)] = Math.max(0, Math.min(most, level));
    }
  }
  return { codes, scales, biases };
}

/** Likewise, with scales of two levels. */
function inSteps(tensor: TinyTensor, format: WeightFormat): Values {
  const k = tensor.shape[1]!;
  const { scales, biases } = quantized(tensor, format);
  const groups = format.bias ? { scales, biases } : { scales };
  const strip = inTwoLevels(tensor.values, k, format, groups);
  const bytes: Values = { codes: packBits(strip.codes, format.bits) };
  for (const role of ['scales', 'scaleSteps', 'biases', 'biasSteps'] as const) {
    if (strip[role]) bytes[role] = stripPart(strip, role, format);
  }
  return bytes;
}

/** Denser around zero. */
const TABLE_OF_16 = [-63, -47, -36, -28, -21, -14, -8, -3, 3, 8, 14, 21, 28, 36, 47, 63];

function tableOf({ bits, lut }: WeightFormat): number[] {
  if (bits === 4 && lut!.entry === 'i7' && lut!.dim === 1) return TABLE_OF_16;
  const isFloat = entryBits(lut!.entry) === 0;
  const most = isFloat ? 2 : 2 ** (entryBits(lut!.entry) - 1) - 1;
  const last = 2 ** bits - 1;
  return Array.from({ length: last + 1 }, (_, i) => {
    return isFloat ? (2 * most * i) / last - most : Math.floor((2 * most * i) / last) - most;
  });
}

/** One table for all groups; the largest weight of what shares a scale becomes its largest entry. */
function palettized(tensor: TinyTensor, format: WeightFormat): Values {
  const { bits, lut, scale } = format;
  const [n = 0, k = 0] = tensor.shape;
  const table = tableOf(format);
  const codes = new Uint8Array((n / lut!.dim) * paddedK(k));
  const { scales, scaleAt } = scalesOf(tensor, scale, table.at(-1)!);
  // An entry of a vector palette is one number for all its rows, that of the first.
  for (let row = 0; row < n; row += lut!.dim) {
    for (let i = 0; i < k; i++) {
      const factor = scaleAt(row, i);
      const above = table.findIndex((entry) => factor * entry >= tensor.values[row * k + i]!);
      codes[(row / lut!.dim) * paddedK(k) + i] = above < 0 ? table.length - 1 : above;
    }
  }
  const count = (tableCount(lut!, n) << bits) * lut!.dim;
  const entries = Float64Array.from(
    { length: count },
    (_, i) => table[Math.floor(i / lut!.dim) % table.length]!,
  );
  return {
    codes: packBits(codes, bits),
    scales: encodeFloats('F16', scales),
    lut: encodeEntries(entries, lut!.entry),
  };
}

/** Scales that make the largest weight of those that share one `most`; none is 1. */
function scalesOf({ shape, values }: TinyTensor, scale: ScaleFormat | undefined, most: number) {
  const [n = 0, k = 0] = shape;
  const together = !scale || scale.rows === ALL ? n : scale.rows;
  const groups = scale ? groupCount(scale, k) : 0;
  const length = !scale || scale.k === ALL ? k : scale.k;
  const index = (row: number, i: number) =>
    Math.floor(row / together) * groups + Math.floor(i / length);
  const scales = new Float32Array(Math.ceil(n / together) * groups);
  if (!scale) return { scales, scaleAt: () => 1 };
  for (const [at, value] of values.entries()) {
    const shared = index(Math.floor(at / k), at % k);
    scales[shared] = Math.max(scales[shared]!, Math.abs(value));
  }
  for (const [i, largest] of scales.entries()) scales[i] = f16ToF32(f32ToF16(largest / most));
  return { scales, scaleAt: (row: number, i: number) => scales[index(row, i)]! };
}
