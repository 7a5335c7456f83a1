// Stored tensors become weights: `<path>.weight` alone is floats; with `<path>.scales`, and
// `<path>.biases` unless symmetric, it is packed. `<path>.indices`, `<path>.lut` and `<path>.channel_scale`
// are a palette. Metadata and tensors must say the same.

import { FormatError, UnsupportedError } from '../errors.js';
import {
  type FloatType,
  GROUP_SIZE,
  type LinearFormat,
  LUT_ENTRIES,
  lutCount,
  paddedK,
} from '../formats.js';
import type { LinearMeaning, PaletteMeaning, Quantization } from './quantization.js';
import type { StoredTensor } from './safetensors.js';
import type { Weight } from './weight.js';

type Tensors = ReadonlyMap<string, StoredTensor>;

const FLOAT_TYPES: ReadonlyMap<string, FloatType> = new Map([
  ['F32', 'f32'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
]);

/** Suffixes that belong to another tensor of the same path. */
const PART_OF: ReadonlyMap<string, string> = new Map([
  ['scales', 'weight'],
  ['biases', 'weight'],
  ['lut', 'indices'],
  ['channel_scale', 'indices'],
]);

/** Derived from the config; older writers stored it all the same. */
const HARMLESS = /\.rotary_emb\.inv_freq$/;

/**
 * Weights by path.
 * @param quantization of config.json, null where it has none
 * @param name the checkpoint, for messages
 * @throws FormatError for tensors that contradict the metadata or that nothing would use,
 *   UnsupportedError for dtypes that are no weights
 */
export function collectWeights(
  tensors: Tensors,
  quantization: Quantization | null,
  name: string,
): Map<string, Weight> {
  const weights = new Map<string, Weight>();
  for (const tensor of tensors.values()) {
    if (HARMLESS.test(tensor.name)) continue;
    const [path, suffix] = splitName(tensor.name);
    if (suffix === 'weight') {
      weights.set(path, readWeight(tensors, tensor, path, quantization));
    } else if (suffix === 'indices' && !tensors.has(`${path}.weight`)) {
      weights.set(path, readPalette(tensors, tensor, path, quantization));
    } else if (!tensors.has(`${path}.${PART_OF.get(suffix)}`)) {
      throw new FormatError(`[${name}] ${tensor.name}: no weight of the model uses this tensor`);
    }
  }
  for (const path of quantization?.paths ?? []) {
    if (weights.has(path)) continue;
    const where = `[${name}] ${quantization!.key} names ${path}`;
    throw new FormatError(`${where}, but there is no tensor ${path}.weight`);
  }
  if (quantization && ![...weights.values()].some(({ format }) => format.kind !== 'float')) {
    const came = `none of ${weights.size} weights is`;
    throw new FormatError(`[${name}] ${quantization.key}: expected packed weights, ${came}`);
  }
  return weights;
}

function splitName(name: string): [path: string, suffix: string] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, Math.max(dot, 0)), name.slice(dot + 1)];
}

function readWeight(
  tensors: Tensors,
  tensor: StoredTensor,
  path: string,
  quantization: Quantization | null,
): Weight {
  const { shape } = tensor;
  const where = `[${tensor.source.name}] ${tensor.name}`;
  if (shape.length < 1 || shape.length > 2 || shape.includes(0)) {
    const expected = 'expected a vector [n] or a matrix [n, k]';
    throw new FormatError(`${where}: shape ${text(shape)}, ${expected}`);
  }
  const scales = tensors.get(`${path}.scales`);
  const biases = tensors.get(`${path}.biases`);
  const packed = scales !== undefined || biases !== undefined || tensor.dtype === 'U32';
  const meaning = quantization?.meaning(path) ?? null;
  if (packed) {
    if (meaning?.kind !== 'linear') throw wrongMeaning(where, 'packed', path, meaning?.kind);
    return packedWeight({
      values: tensor,
      scales,
      biases,
      meaning,
      path,
      where,
    });
  }
  if (quantization?.paths.includes(path)) {
    const stored = meaning?.kind === 'palette' ? `${path}.indices` : 'U32';
    const expected = `${quantization.key} says ${meaning?.bits} bits, expected ${stored}`;
    throw new FormatError(`${where}: ${tensor.dtype}, but ${expected}`);
  }
  const dtype = FLOAT_TYPES.get(tensor.dtype);
  if (!dtype) {
    const only = 'only F32, F16, BF16 and packed U32';
    throw new UnsupportedError(`${where}: dtype ${tensor.dtype} is not supported, ${only}`);
  }
  return { path, shape, format: { kind: 'float', dtype }, values: tensor };
}

interface PackedTensors {
  readonly values: StoredTensor;
  readonly scales: StoredTensor | undefined;
  readonly biases: StoredTensor | undefined;
  readonly meaning: LinearMeaning;
  readonly path: string;
  readonly where: string;
}

function packedWeight({ values, scales, biases, meaning, path, where }: PackedTensors): Weight {
  const { bits, symmetric } = meaning;
  const [n, words] = values.shape;
  if (values.dtype !== 'U32' || n === undefined || words === undefined) {
    const came = `${values.dtype} ${text(values.shape)}`;
    throw new FormatError(`${where}: ${came}, expected U32 [n, k * ${bits} / 32]`);
  }
  const padded = (words * 32) / bits;
  const k = meaning.inFeatures ?? padded;
  if (padded !== paddedK(k)) {
    const came = `rows of ${words} words hold ${padded} weights of ${bits} bits`;
    throw new FormatError(`${where}: ${came}, expected ${paddedK(k)} for k ${k}`);
  }
  if (!scales) throw new FormatError(`${where}: packed, but ${path}.scales is missing`);
  const format: LinearFormat = {
    kind: 'linear',
    bits,
    scaleType: scaleType(scales),
    symmetric,
  };
  const groups = [n, padded / GROUP_SIZE];
  checkTensor(scales, scales.dtype, groups);
  const weight = { path, shape: [n, k], format, values, scales };
  if (symmetric) {
    if (!biases) return weight;
    throw new FormatError(`${where}: symmetric by config.json, but ${biases.name} is there`);
  }
  if (!biases) {
    throw new FormatError(`${where}: not symmetric by config.json, but ${path}.biases is missing`);
  }
  checkTensor(biases, scales.dtype, groups);
  return { ...weight, biases };
}

function readPalette(
  tensors: Tensors,
  indices: StoredTensor,
  path: string,
  quantization: Quantization | null,
): Weight {
  const where = `[${indices.source.name}] ${indices.name}`;
  const meaning = quantization?.meaning(path);
  if (meaning?.kind !== 'palette') throw wrongMeaning(where, 'a palette', path, meaning?.kind);
  const lut = tensors.get(`${path}.lut`);
  const scales = tensors.get(`${path}.channel_scale`);
  if (!lut) throw new FormatError(`${where}: a palette, but ${path}.lut is missing`);
  if (!scales) throw new FormatError(`${where}: a palette, but ${path}.channel_scale is missing`);
  return paletteWeight({ path, where, indices, lut, scales, meaning });
}

interface PaletteTensors {
  readonly path: string;
  readonly where: string;
  readonly indices: StoredTensor;
  readonly lut: StoredTensor;
  readonly scales: StoredTensor;
  readonly meaning: PaletteMeaning;
}

function paletteWeight({ path, where, indices, lut, scales, meaning }: PaletteTensors): Weight {
  const { bits, inFeatures: k } = meaning;
  const [n = 0] = indices.shape;
  if (n === 0) throw new FormatError(`${where}: shape ${text(indices.shape)}, expected rows`);
  checkTensor(indices, 'U8', [n, (paddedK(k) * bits) / 8]);
  if (lut.dtype !== 'I8') {
    const came = `[${lut.source.name}] ${lut.name}: a palette of ${lut.dtype}`;
    throw new UnsupportedError(`${came} is not supported, only I8`);
  }
  checkTensor(lut, 'I8', [lutCount(n), LUT_ENTRIES]);
  checkTensor(scales, scales.dtype, [n]);
  const format = { kind: 'palette', bits, scaleType: scaleType(scales) } as const;
  return { path, shape: [n, k], format, values: indices, scales, lut };
}

function wrongMeaning(where: string, came: string, path: string, meant?: string): FormatError {
  const says = meant ? `${path} is ${meant}` : `nothing about ${path}`;
  return new FormatError(`${where}: ${came}, but config.json says ${says}`);
}

function scaleType({ source, name, dtype }: StoredTensor): FloatType {
  const type = FLOAT_TYPES.get(dtype);
  if (type) return type;
  throw new FormatError(`[${source.name}] ${name}: dtype ${dtype}, expected F32, F16 or BF16`);
}

function checkTensor(tensor: StoredTensor, dtype: string, shape: readonly number[]): void {
  if (tensor.dtype === dtype && tensor.shape.join() === shape.join()) return;
  const came = `${tensor.dtype} ${text(tensor.shape)}`;
  throw new FormatError(
    `[${tensor.source.name}] ${tensor.name}: ${came}, expected ${dtype} ${text(shape)}`,
  );
}

function text(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
