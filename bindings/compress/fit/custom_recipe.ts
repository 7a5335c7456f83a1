// `lut` of a recipe: numbers, or the name of a table.

import { f16ToF32, f32ToF16 } from '../../formats/float16.js';
import type { LutEntry } from '../../formats/format.js';
import { entryBits } from '../../formats/lut_entry.js';
import type { Wrong } from './options.js';
import { NAMED_TABLES } from './tables.js';

interface Custom {
  readonly entry: LutEntry;
  /** As stored. */
  readonly table: readonly number[];
}

/**
 * The table with entries of the type that was asked for, else of the narrowest that holds it: integers, whose matmul
 * takes int8 activations, or float32.
 * @throws `wrong` for what is no table, has more entries than `bits` have codes, or does not fit the type
 */
export function parseCustom(
  { lut }: Readonly<Record<string, unknown>>,
  bits: number,
  asked: LutEntry | undefined,
  wrong: Wrong,
): Custom {
  const table = typeof lut === 'string' ? NAMED_TABLES.get(lut) : lut;
  const names = [...NAMED_TABLES.keys()].map((name) => `"${name}"`).join(' or ');
  if (!isTable(table)) throw wrong('lut', `finite numbers of which not all are 0, or ${names}`);
  if (table.length > 2 ** bits) {
    throw wrong('lut', `at most ${2 ** bits} entries at ${bits} bits, not ${table.length}`);
  }
  const entry = asked ?? (['i7', 'i8'] as const).find((one) => fits(table, one)) ?? 'f32';
  if (!fits(table, entry)) {
    const numbers = entryBits(entry) > 0 ? 'integers from -128 to 127' : 'numbers within its range';
    throw wrong('lut', `${numbers} for its lut_dtype`);
  }
  return { entry, table: table.map((value) => rounded(value, entry)) };
}

function isTable(table: unknown): table is readonly number[] {
  if (!Array.isArray(table) || !table.every((value) => Number.isFinite(value))) return false;
  return table.some((value) => value !== 0);
}

function fits(table: readonly number[], entry: LutEntry): boolean {
  const most = 2 ** (entryBits(entry) - 1);
  return table.every((value) => {
    if (entryBits(entry) > 0) return Number.isInteger(value) && value >= -most && value < most;
    return Number.isFinite(rounded(value, entry));
  });
}

function rounded(value: number, entry: LutEntry): number {
  if (entry === 'f16') return f16ToF32(f32ToF16(value));
  return entry === 'f32' ? Math.fround(value) : value;
}
