// The stored tensors that make one weight [n, k].

import { ALL, FLOAT_BYTES, type FloatType } from './format.js';

/** What a stored tensor is to its weight. */
export type Role =
  | 'codes'
  | 'scales'
  | 'scaleSteps'
  | 'biases'
  | 'biasSteps'
  | 'lut'
  | 'mask'
  | 'starts'
  | 'outlierRows'
  | 'outlierColumns'
  | 'outlierValues';

export interface PartShape {
  readonly role: Role;
  /** Behind the weight's path: `<path>.<suffix>`. */
  readonly suffix: string;
  /** As safetensors name it. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Rows of the weight that one row of this tensor serves; ALL: any row needs the whole tensor. */
  readonly serves: number;
  /** Of a tensor that is one stream, without rows: bits of an element; the part `starts` says where rows begin. */
  readonly streamBits?: number;
}

/** Bytes by role. */
export type PartBytes = Readonly<Partial<Record<Role, Uint8Array>>>;

const DTYPE_BYTES: Readonly<Record<string, number>> = {
  U8: 1,
  I8: 1,
  U16: 2,
  U32: 4,
  F32: FLOAT_BYTES.f32,
  F16: FLOAT_BYTES.f16,
  BF16: FLOAT_BYTES.bf16,
};

/** The float types as safetensors name them. */
export const FLOAT_TYPES: ReadonlyMap<string, FloatType> = new Map([
  ['F32', 'f32'],
  ['F16', 'f16'],
  ['BF16', 'bf16'],
]);

export function dtypeName(type: FloatType): string {
  return type.toUpperCase();
}

/** Bytes of one row of the tensor. */
export function rowBytes({ dtype, shape }: PartShape): number {
  return shape.slice(1).reduce((bytes, size) => bytes * size, DTYPE_BYTES[dtype]!);
}

export function partBytes(part: PartShape): number {
  return part.shape[0]! * rowBytes(part);
}

/** Where in a tensor that has rows the bytes lie that rows [begin, end) of the weight need. */
export function bytesOfRows(
  part: PartShape,
  begin: number,
  end: number,
): [from: number, to: number] {
  if (begin === end) return [0, 0];
  if (part.serves === ALL) return [0, partBytes(part)];
  const bytes = rowBytes(part);
  const first = Math.floor(begin / part.serves);
  // A row's end is where the next begins.
  const last = Math.ceil(end / part.serves) + (part.role === 'starts' ? 1 : 0);
  return [first * bytes, last * bytes];
}
