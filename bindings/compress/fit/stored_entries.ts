// Tables of any numbers as a format stores them.

import type { LutEntry } from '../../formats/format.js';
import { entryBits } from '../../formats/lut_entry.js';
import type { FitCore } from './fit_core.js';

/** Values are entries * unit. */
export interface StoredEntries {
  /** Floats of the entry's type, or integers of its bits. */
  readonly entries: Float32Array;
  /** 1 of floats. */
  readonly unit: number;
}

/** @returns entries, or why the type does not hold them */
export function storedEntries(
  table: Float64Array,
  entry: LutEntry,
  core: FitCore,
): StoredEntries | string {
  const largest = table.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (entryBits(entry) > 0) {
    const unit = largest / (2 ** (entryBits(entry) - 1) - 1);
    const rounded = table.map((value) => (unit === 0 ? 0 : Math.floor(value / unit + 0.5)));
    return { entries: Float32Array.from(rounded), unit };
  }
  const entries = Float32Array.from(
    table,
    entry === 'f16' ? (x) => core.run.round_to_half(x) : Math.fround,
  );
  const wrong = entries.find((value) => !Number.isFinite(value));
  if (wrong === undefined) return { entries, unit: 1 };
  return `a table's entry is ${largest}, and the largest float16 is 65504`;
}

/** A scale as it will be stored: in float16, where that holds it. */
export function storedScale(scale: number, { run }: FitCore): number {
  return run.holds_in_half(scale) ? run.round_to_half(scale) : Math.fround(scale);
}

/** Whether float16 holds all. */
export function allInHalf(scales: Float32Array, { run }: FitCore): boolean {
  return scales.every((scale) => run.holds_in_half(scale));
}
