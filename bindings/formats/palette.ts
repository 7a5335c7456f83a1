// Palettes as formats: which there are.

import { ALL, type LutEntry, type WeightFormat } from './format.js';
import { LINEAR_GROUPS } from './linear.js';
import { entryBits } from './lut_entry.js';

/** Widths that run. */
export const PALETTE_BITS: readonly number[] = [1, 2, 3, 4, 6, 8];
/** Values that an entry may have. */
export const CLUSTER_DIMS: readonly number[] = [1, 2, 4];
/** Weights along k that may share a scale, as in linear formats. */
export const PALETTE_BLOCKS = LINEAR_GROUPS;
/** Output channels that share a table unless a recipe says otherwise. */
export const DEFAULT_ROWS = 16;
/** Most output channels that may share one, `per_tensor` apart. */
export const MAX_TABLE_ROWS = 1 << 24;

/** Core ML's words for what shares a table. */
export const PALETTE_GRANULARITIES = ['per_grouped_channel', 'per_tensor'] as const;

export interface PaletteOptions {
  /** Output channels that share a table, or ALL. */
  readonly rows?: number;
  /** Whether each channel has a scale; else each table has one, or, of floats, none. */
  readonly perChannel?: boolean;
  /** Weights along k of a channel that share a scale, or ALL. */
  readonly block?: number;
  readonly entry?: LutEntry;
  readonly dim?: number;
}

export function paletteFormat(bits: number, options: PaletteOptions = {}): WeightFormat {
  const { rows = DEFAULT_ROWS, perChannel = true, block = ALL, dim = 1 } = options;
  const { entry = bits === 8 ? 'i8' : 'i7' } = options;
  const lut = { rows, entry, dim };
  if (!perChannel && block === ALL && entryBits(entry) === 0) return { bits, lut };
  const scaleRows = perChannel || block !== ALL ? 1 : rows;
  return { bits, lut, scale: { rows: scaleRows, k: block, dtype: 'f16' } };
}
