// Stored tensors become weights: `<path>.weight` alone is floats; else the tensors that the format's codec
// lists. Metadata and tensors must say the same.

import { FormatError, UnsupportedError } from '../errors.js';
import type { Codec } from '../formats/codec.js';
import { CODECS, codecOf } from '../formats/codecs.js';
import { float } from '../formats/float.js';
import type { WeightFormat } from '../formats/format.js';
import { FLOAT_TYPES, type PartShape } from '../formats/parts.js';
import { sparse } from '../formats/sparse.js';
import { packedWeight, shapeText } from './packed_weight.js';
import type { StoredTensor } from './safetensors.js';
import type { Quantization } from './schemes/quantization.js';
import { floatWeight, isPacked, type Weight } from './weight.js';

type Tensors = ReadonlyMap<string, StoredTensor>;

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
    if (suffix === firstSuffix(tensors, path)) {
      weights.set(path, readWeight(tensors, tensor, path, quantization));
    } else if (!isPart(tensors, path, suffix)) {
      throw new FormatError(`[${name}] ${tensor.name}: no weight of the model uses this tensor`);
    }
  }
  for (const path of quantization?.paths ?? []) {
    if (weights.has(path)) continue;
    const where = `[${name}] ${quantization!.key} names ${path}`;
    throw new FormatError(`${where}, but there is no tensor ${path}.weight`);
  }
  if (quantization && ![...weights.values()].some(isPacked)) {
    const came = `none of ${weights.size} weights is`;
    throw new FormatError(`[${name}] ${quantization.key}: expected packed weights, ${came}`);
  }
  return weights;
}

function splitName(name: string): [path: string, suffix: string] {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, Math.max(dot, 0)), name.slice(dot + 1)];
}

/** Suffix of the tensor that begins the weight at `path`; undefined: none does. */
function firstSuffix(tensors: Tensors, path: string): string | undefined {
  return CODECS.find(({ suffixes: [codes] }) => tensors.has(`${path}.${codes}`))?.suffixes[0];
}

/** Whether a tensor of this suffix belongs to codes that are there. */
function isPart(tensors: Tensors, path: string, suffix: string): boolean {
  return CODECS.some(({ suffixes: [codes, ...others] }) => {
    return others.includes(suffix) && tensors.has(`${path}.${codes}`);
  });
}

/** @param first the tensor whose suffix begins a weight */
function readWeight(
  tensors: Tensors,
  first: StoredTensor,
  path: string,
  quantization: Quantization | null,
): Weight {
  const { shape } = first;
  const where = `[${first.source.name}] ${first.name}`;
  const came = packedFamily(tensors, first, path);
  // Of pruned weights none may be left.
  const isEmpty = shape.includes(0) && came !== sparse;
  if (shape.length < 1 || shape.length > 2 || isEmpty) {
    const expected = 'expected a vector [n] or a matrix [n, k]';
    throw new FormatError(`${where}: shape ${shapeText(shape)}, ${expected}`);
  }
  const meaning = quantization?.meaning(path) ?? null;
  if (came) {
    if (meaning && `${path}.${codesOf(meaning.format).suffix}` === first.name) {
      return packedWeight(tensors, first, path, meaning);
    }
    const says = meaning ? `${path} is ${codecOf(meaning.format).type}` : `nothing about ${path}`;
    throw new FormatError(`${where}: packed as ${came.type}, but config.json says ${says}`);
  }
  if (meaning && quantization?.paths.includes(path)) {
    const { suffix, dtype } = codesOf(meaning.format);
    const expected = suffix === 'weight' ? dtype : `${path}.${suffix}`;
    const says = `${quantization.key} says ${meaning.format.bits} bits, expected ${expected}`;
    throw new FormatError(`${where}: ${first.dtype}, but ${says}`);
  }
  return weightOfFloats(first, path);
}

/** The family of packed weights that the tensors at `path` look like; undefined: they are floats. */
function packedFamily(tensors: Tensors, first: StoredTensor, path: string): Codec | undefined {
  return CODECS.find(({ suffixes: [codes, ...others] }) => {
    if (first.name !== `${path}.${codes}` || others.length === 0) return false;
    if (codes !== float.suffixes[0]) return true;
    return first.dtype === 'U32' || others.some((suffix) => tensors.has(`${path}.${suffix}`));
  });
}

/** The part that begins a weight, of any size. */
function codesOf(format: WeightFormat): PartShape {
  return codecOf(format).parts(format, 1, 1)[0]!;
}

function weightOfFloats(tensor: StoredTensor, path: string): Weight {
  const { source, name, dtype, shape } = tensor;
  const type = FLOAT_TYPES.get(dtype);
  if (type) return floatWeight(path, shape, type, tensor);
  const only = 'only F32, F16, BF16 and packed U32';
  throw new UnsupportedError(`[${source.name}] ${name}: dtype ${dtype} is not supported, ${only}`);
}
