// A weight as the plan sees it: one name, one shape, one format, and where its bytes lie.

import { codecOf } from '../formats/codecs.js';
import { type FloatType, floatFormat, type WeightFormat } from '../formats/format.js';
import type { PartShape, Role } from '../formats/parts.js';
import type { ByteSource } from '../platform/byte_source.js';

export type { ByteSource };

/** Bytes [offset, offset + bytes) of `source`. */
export interface StoredBytes {
  readonly name: string;
  readonly source: ByteSource;
  readonly offset: number;
  readonly bytes: number;
}

/** One stored tensor of a weight, row-major. */
export interface Part extends PartShape, StoredBytes {}

/** A weight matrix [n, k], or a vector [n]. */
export interface Weight {
  /** Path without the `.weight` suffix: `model.layers.0.mlp.up_proj`. */
  readonly path: string;
  readonly shape: readonly number[];
  readonly format: WeightFormat;
  /** As the format's codec lists them: the codes, or the floats, first. */
  readonly parts: readonly [Part, ...Part[]];
}

/** Floats of `type` as they are stored. */
export function floatWeight(
  path: string,
  shape: readonly number[],
  type: FloatType,
  { name, source, offset, bytes }: StoredBytes,
): Weight {
  const format = floatFormat(type);
  const [codes] = codecOf(format).parts(format, shape[0] ?? 0, shape[1] ?? 1);
  return { path, shape, format, parts: [{ ...codes!, name, source, offset, bytes }] };
}

/** The part of that role, which its format has. */
export function partOf({ parts }: Weight, role: Role): Part {
  return parts.find((part) => part.role === role)!;
}

/** Whether it is stored as anything but its floats. */
export function isPacked({ format }: Weight): boolean {
  return format.float === undefined || format.sparse !== undefined;
}

/** [n, k]; a vector is one column. */
export function matrixShape({ shape }: Weight): { n: number; k: number } {
  const [n = 0, k = 1] = shape;
  return { n, k };
}

/** Bytes of all its tensors as stored. */
export function storedBytes({ parts }: Weight): number {
  return parts.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Values it stands for, however they are stored. */
export function weightCount({ shape }: Weight): number {
  return shape.reduce((product, size) => product * size, 1);
}
