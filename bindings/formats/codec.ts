// What a family of formats has to say for itself: float.ts, linear.ts, palette.ts, sparse.ts.

import type { WeightFormat } from './format.js';
import type { PartBytes, PartShape } from './parts.js';

/** Checked fields of one JSON object; errors name file and field. */
export interface FieldReader {
  keys(): string[];
  has(key: string): boolean;
  integer(key: string, least: number, most: number, absent?: number): number;
  boolean(key: string, absent: boolean): boolean;
  string(key: string, absent?: string): string;
  /** Null: there is none. */
  object(key: string): FieldReader | null;
  /** `[file] field` */
  at(key: string): string;
  /** An error: `[file] field: expected ..., came ...` */
  wrong(key: string, expected: string): Error;
}

/** Pure: a codec knows bytes and JSON, no files. */
export interface Codec {
  /** `type` in quantization_config.tensors; also what messages call it. */
  readonly type: string;
  /** Of all stored tensors that a weight of the family may have; that of the codes first. */
  readonly suffixes: readonly [codes: string, ...others: string[]];
  /** Whether `format` is one of its own. */
  has(format: WeightFormat): boolean;
  /** The stored tensors of a weight [n, k], in the order in which files hold them; codes come first. */
  parts(format: WeightFormat, n: number, k: number): PartShape[];
  /** Rows [begin, end) as float64 [end - begin, k]. @param bytes what `bytesOfRows` says, of every part */
  decode(
    format: WeightFormat,
    bytes: PartBytes,
    begin: number,
    end: number,
    k: number,
  ): Float64Array;
  /** As `inspect` prints it. */
  name(format: WeightFormat): string;
  /** Its fields in quantization_config.tensors, without those that every type has. */
  toJson(format: WeightFormat): Record<string, unknown>;
  /**
   * The reverse of `toJson`; the type of scales is not in it (`withScaleType`).
   * @throws what `fields` throws; UnsupportedError for what is meant but not run
   */
  parse(fields: FieldReader): WeightFormat;
}
