// The list of the families.

import type { Codec } from './codec.js';
import { float } from './float.js';
import type { WeightFormat } from './format.js';
import { linear } from './linear.js';
import { withOutlierParts } from './outliers.js';
import { palette } from './palette_codec.js';
import { sparse } from './sparse.js';

/** Families whose weights are packed, by `type`. */
export const PACKED_CODECS: ReadonlyMap<string, Codec> = new Map(
  [sparse, ...[linear, palette].map(withOutlierParts)].map((codec) => [codec.type, codec]),
);

/** Sparse floats are sparse: the first that has a format is its family. */
export const CODECS: readonly Codec[] = [...PACKED_CODECS.values(), float];

export function codecOf(format: WeightFormat): Codec {
  return CODECS.find((codec) => codec.has(format))!;
}

/** Name of a format as `inspect` and recipes print it: `f16`, `int4`, `int4-asym`, `int8`, `palettize4`. */
export function formatName(format: WeightFormat): string {
  return codecOf(format).name(format);
}
