// A packed weight from its tensors: all that its format's codec lists, of those shapes, and no other.

import { FormatError } from '../errors.js';
import { codecOf, formatName } from '../formats/codecs.js';
import {
  paddedK,
  type WeightFormat,
  withNonZeros,
  withOutliers,
  withScaleType,
} from '../formats/format.js';
import { OUTLIER_VALUES } from '../formats/outliers.js';
import { FLOAT_TYPES, type PartShape, type Role } from '../formats/parts.js';
import { mayHaveSteps, withSteps } from '../formats/scales.js';
import { nonZerosIn } from '../formats/sparse.js';
import type { StoredTensor } from './safetensors.js';
import type { Meaning } from './schemes/quantization.js';
import type { Part, Weight } from './weight.js';

type Tensors = ReadonlyMap<string, StoredTensor>;

/**
 * @param codes the tensor that holds the weight's codes
 * @throws FormatError for a part that is missing, has another shape or type, or that config.json does not
 *   know
 */
export function packedWeight(
  tensors: Tensors,
  codes: StoredTensor,
  path: string,
  meaning: Meaning,
): Weight {
  const where = `[${codes.source.name}] ${codes.name}`;
  const { bits } = meaning.format;
  const matrix = meaning.format.sparse ? tensors.get(`${path}.mask`) : codes;
  if (!matrix) throw missing(where, `${path}.mask`);
  const [rows = 0, width] = matrix.shape;
  if (width === undefined || rows === 0) {
    const came = `${matrix.dtype} ${shapeText(matrix.shape)}`;
    const whole = `a matrix of ${bits}-bit codes [n, k]`;
    const expected = matrix === codes ? whole : 'a bit for each weight [n, bytes of k bits]';
    throw new FormatError(`[${matrix.source.name}] ${matrix.name}: ${came}, expected ${expected}`);
  }
  const k = meaning.inFeatures ?? Math.floor((width * 32) / bits);
  const [outliers = 0] = tensors.get(`${path}.${OUTLIER_VALUES}`)?.shape ?? [];
  const scaled = withOutliers(withStoredScales(tensors, path, meaning.format), outliers);
  const format = withNonZeros(scaled, nonZerosIn(codes.bytes, bits));
  const n = rows * codecOf(format).parts(format, 1, 1)[0]!.serves;
  const parts = codecOf(format)
    .parts(format, n, k)
    .map((shape): Part => {
      const tensor = shape.role === 'codes' ? codes : tensors.get(`${path}.${shape.suffix}`);
      if (!tensor) throw missing(where, `${path}.${shape.suffix}`);
      checkTensor(tensor, shape, `${paddedK(k)} codes of ${bits} bits for k ${k}`);
      return { ...tensor, ...shape };
    });
  for (const suffix of codecOf(format).suffixes) {
    const other = tensors.get(`${path}.${suffix}`);
    if (!other || parts.some((part) => part.suffix === suffix)) continue;
    const says = `${formatName(format)} by config.json`;
    throw new FormatError(`${where}: ${says}, which has no ${other.name}`);
  }
  return { path, shape: [n, k], format, parts: parts as [Part, ...Part[]] };
}

function missing(where: string, name: string): FormatError {
  return new FormatError(`${where}: packed by config.json, but ${name} is missing`);
}

/** The format with the type and the levels of scales that are stored; if they are missing, as it was. */
function withStoredScales(tensors: Tensors, path: string, format: WeightFormat): WeightFormat {
  const scales = storedPart(tensors, path, format, 'scales');
  if (scales?.dtype === 'I8' && mayHaveSteps(format)) {
    const twoLevels = withSteps(format);
    return withFloatType(twoLevels, storedPart(tensors, path, twoLevels, 'scaleSteps'));
  }
  return withFloatType(format, scales);
}

/** What is stored in the role, of whatever type. */
function storedPart(
  tensors: Tensors,
  path: string,
  format: WeightFormat,
  of: Role,
): StoredTensor | undefined {
  const shape = codecOf(format)
    .parts(format, 1, 1)
    .find(({ role }) => role === of);
  return shape && tensors.get(`${path}.${shape.suffix}`);
}

function withFloatType(format: WeightFormat, scales: StoredTensor | undefined): WeightFormat {
  if (!scales) return format;
  const { source, name, dtype } = scales;
  const type = FLOAT_TYPES.get(dtype);
  if (type) return withScaleType(format, type);
  throw new FormatError(`[${source.name}] ${name}: dtype ${dtype}, expected F32, F16 or BF16`);
}

/** @param codes what rows of codes must hold, in words */
function checkTensor({ source, name, dtype, shape }: StoredTensor, part: PartShape, codes: string) {
  if (dtype === part.dtype && shape.join() === part.shape.join()) return;
  const where = `[${source.name}] ${name}`;
  const expected = `expected ${part.dtype} ${shapeText(part.shape)}`;
  const reason = part.role === 'codes' && !part.streamBits ? `, ${codes}` : '';
  throw new FormatError(`${where}: ${dtype} ${shapeText(shape)}, ${expected}${reason}`);
}

export function shapeText(shape: readonly number[]): string {
  return `[${shape.join(', ')}]`;
}
