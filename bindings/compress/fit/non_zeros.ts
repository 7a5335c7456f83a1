// Codes for the weights of a matrix that are not zero, chosen by the fits of dense weights, which see no zeros: what
// shares a scale is given to them as one row. Rows that share a table, but have a scale each, are brought to one length
// by repeating their own weights.

import { ALL, paddedK, type WeightFormat } from '../../formats/format.js';
import type { Fit, FittedStrip, Floats } from './fit.js';
import type { FitCore } from './fit_core.js';

/**
 * A strip without the codes of zeros, row after row.
 * @param weights [rows, k]: whole groups of rows that share anything
 * @param format of the values, as if all weights were there
 */
export function fitNonZeros(
  fit: Fit,
  weights: Floats,
  k: number,
  format: WeightFormat,
  core: FitCore,
): FittedStrip {
  const { lut, scale, bias } = format;
  if (!lut && !bias) return fitAmongZeros(fit, weights, k, format, core);
  if (lut && scale!.rows === 1) return fitTables(fit, weights, k, format, core);
  const one: WeightFormat = {
    ...format,
    ...(lut && { lut: { ...lut, rows: ALL } }),
    scale: { ...scale!, rows: ALL, k: ALL },
  };
  // Only a row is divided.
  const together = scale!.rows === ALL ? weights.length : scale!.rows * k;
  const width = scale!.k === ALL ? together : scale!.k;
  const fitted: FittedStrip[] = [];
  for (let begin = 0; begin < weights.length; begin += together) {
    const end = Math.min(begin + together, weights.length);
    for (let from = begin; from < end; from += width) {
      const row = nonZeros(weights.subarray(from, Math.min(from + width, end)));
      fitted.push(fitRows(fit, [row], one, core));
    }
  }
  return joined(fitted);
}

/** A symmetric scale is the same with zeros among the weights: they are exact at any. */
function fitAmongZeros(
  fit: Fit,
  weights: Floats,
  k: number,
  format: WeightFormat,
  core: FitCore,
): FittedStrip {
  const { codes, ...rest } = fit.run(weights, k, format, core);
  const placed = codes.filter((_, i) => i % paddedK(k) < k);
  return { codes: placed.filter((_, i) => weights[i] !== 0), ...rest };
}

function fitTables(
  fit: Fit,
  weights: Floats,
  k: number,
  format: WeightFormat,
  core: FitCore,
): FittedStrip {
  const { lut } = format;
  const one = { ...format, lut: { ...lut!, rows: ALL } };
  const together = lut!.rows === ALL ? weights.length : lut!.rows * k;
  const fitted: FittedStrip[] = [];
  for (let begin = 0; begin < weights.length; begin += together) {
    const group = weights.subarray(begin, begin + together);
    const rows = Array.from({ length: group.length / k }, (_, row) => {
      return nonZeros(group.subarray(row * k, (row + 1) * k));
    });
    fitted.push(fitRows(fit, rows, one, core));
  }
  return joined(fitted);
}

/** Rows of any lengths; what is empty stays zeros. */
function fitRows(
  fit: Fit,
  rows: readonly Float64Array[],
  format: WeightFormat,
  core: FitCore,
): FittedStrip {
  const length = rows.reduce((most, row) => Math.max(most, row.length), 1);
  const filled = new Float64Array(rows.length * length);
  for (const [r, row] of rows.entries()) {
    if (row.length === 0) continue;
    for (let i = 0; i < length; i++) filled[r * length + i] = row[i % row.length]!;
  }
  const { codes, ...rest } = fit.run(filled, length, format, core);
  const kept = rows.map((row, r) => {
    const first = r * paddedK(length);
    return codes.subarray(first, first + row.length);
  });
  return { codes: concat(kept, (size) => new Uint8Array(size)), ...rest };
}

function nonZeros(weights: Floats): Float64Array {
  return Float64Array.from(weights).filter((w) => w !== 0);
}

function joined(strips: readonly FittedStrip[]): FittedStrip {
  // Scales of one level and tables of integers are all that runs.
  const floats = (all: readonly (Float32Array | Int8Array)[]) =>
    concat(all as readonly Float32Array[], (size) => new Float32Array(size));
  const biases = strips.flatMap((strip) => strip.biases ?? []);
  const luts = strips.flatMap((strip) => (strip.lut as Int8Array | undefined) ?? []);
  return {
    codes: concat(
      strips.map((strip) => strip.codes),
      (size) => new Uint8Array(size),
    ),
    scales: floats(strips.map(({ scales }) => scales)),
    ...(biases.length > 0 && { biases: floats(biases) }),
    ...(luts.length > 0 && { lut: concat(luts, (size) => new Int8Array(size)) }),
    inHalf: strips.every(({ inHalf }) => inHalf),
  };
}

function concat<T extends Uint8Array | Int8Array | Float32Array>(
  parts: readonly T[],
  create: (size: number) => T,
): T {
  const out = create(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
