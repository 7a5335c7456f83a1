// Outliers are taken out before the fit, which would clip them or spread its levels over them, and what the codes
// then lack of them is kept beside these (formats/outliers.ts).

import { OptionError } from '../../errors.js';
import { codecOf } from '../../formats/codecs.js';
import { f16ToF32, f32ToF16 } from '../../formats/float16.js';
import { ALL, type WeightFormat, withScaleType } from '../../formats/format.js';
import { MAX_OUTLIER_K } from '../../formats/outliers.js';
import { bytesOfRows } from '../../formats/parts.js';
import { describe } from '../../model/json_fields.js';
import type { Fit, FittedStrip, Floats, PackedScheme, StripOutliers } from './fit.js';
import { stripPart, type ValueRole } from './strip_parts.js';

/**
 * Multiples of the root mean square: a weight beyond is an outlier. Of normally distributed weights one in two
 * million is.
 */
export const DEFAULT_THRESHOLD = 5;

type Threshold = Pick<PackedScheme, 'outlierThreshold'>;

/** Of a scheme whose recipe does not say: tables that are given hold what they hold. */
export function defaultThreshold({ outlierThreshold }: Fit, { tables }: PackedScheme): Threshold {
  return outlierThreshold === undefined || tables ? {} : { outlierThreshold };
}

/**
 * `outlier_threshold` of a recipe: a number from 1 on, or null for no outliers at all.
 * @throws OptionError for anything else, and with tables that are exact
 */
export function parseOutlierThreshold(
  came: unknown,
  fit: Fit,
  scheme: PackedScheme,
  where: string,
): Threshold {
  if (came === undefined) return defaultThreshold(fit, scheme);
  if (came === null) return {};
  const isExact = scheme.tables?.mode === 'unique';
  if (typeof came === 'number' && came >= 1 && !isExact) return { outlierThreshold: came };
  const expected = isExact ? 'null with mode unique, which is exact' : 'a number from 1 on or null';
  throw new OptionError(
    `[recipe] ${where}.outlier_threshold: expected ${expected}, came ${describe(came)}`,
  );
}

/** Outliers that were taken out of the weights of a strip. */
export interface Taken {
  /** Ascending: row * k + column. */
  readonly places: Uint32Array;
  readonly weights: Float64Array;
}

/**
 * Takes the outliers out of weights [rows, k]: zero is left in their places.
 * @returns null where there are none
 */
export function takeOutliers(
  weights: Floats,
  k: number,
  { format, outlierThreshold }: PackedScheme,
): Taken | null {
  if (outlierThreshold === undefined) return null;
  const places = findOutliers(weights, k, format, outlierThreshold);
  if (places.length === 0) return null;
  const taken = Float64Array.from(places, (place) => weights[place]!);
  for (const place of places) weights[place] = 0;
  return { places: Uint32Array.from(places), weights: taken };
}

/** What the codes of a strip lack of the outliers that were taken out before. @param strip codes as a bit stream */
export function outliersBeside(
  { places, weights }: Taken,
  strip: FittedStrip,
  format: WeightFormat,
  rows: number,
  k: number,
): StripOutliers {
  const decodeRow = rowDecoder(strip, format, rows, k);
  let row = -1;
  let values: Float64Array = new Float64Array(0);
  const lacking = weights.map((weight, i) => {
    const place = places[i]!;
    if (Math.floor(place / k) !== row) {
      row = Math.floor(place / k);
      values = decodeRow(row);
    }
    return weight - values[place % k]!;
  });
  return { places, values: lacking };
}

/**
 * Weights of more than `threshold` times the root mean square of those that share a scale, and that float16 holds.
 */
function findOutliers(
  weights: Floats,
  k: number,
  { scale, lut }: WeightFormat,
  threshold: number,
): number[] {
  const sharing = scale?.rows ?? lut!.rows;
  const length = sharing === ALL ? weights.length : sharing * k;
  const places: number[] = [];
  for (let begin = 0; begin < weights.length; begin += length) {
    const end = Math.min(begin + length, weights.length);
    let squares = 0;
    for (let i = begin; i < end; i++) squares += weights[i]! * weights[i]!;
    const most = threshold ** 2 * (squares / (end - begin));
    for (let i = begin; i < end; i++) {
      const w = weights[i]!;
      if (w * w > most && i % k < MAX_OUTLIER_K && holdsInHalf(w)) places.push(i);
    }
  }
  return places;
}

/** Of a row of a strip the values of its codes: [k]. Few rows have outliers, and decoding is slow. */
function rowDecoder(strip: FittedStrip, format: WeightFormat, rows: number, k: number) {
  const exact = withScaleType(format, 'f32');
  const codec = codecOf(exact);
  const parts = codec.parts(exact, rows, k).map((shape) => {
    const { role } = shape;
    const bytes = role === 'codes' ? strip.codes : stripPart(strip, role as ValueRole, exact);
    return { shape, bytes };
  });
  return (row: number): Float64Array => {
    const ofRow = parts.map(({ shape, bytes }) => {
      return [shape.role, bytes.subarray(...bytesOfRows(shape, row, row + 1))];
    });
    return codec.decode(exact, Object.fromEntries(ofRow), row, row + 1, k);
  };
}

/** Whether float16 holds it, without overflow and with most of its own accuracy. */
function holdsInHalf(w: number): boolean {
  return Math.abs(f16ToF32(f32ToF16(w)) - w) <= Math.abs(w) * 2 ** -9;
}
