// One strip of a weight from stored floats to stored codes: what a thread does, whichever.

import type { FloatType } from '../../formats/format.js';
import type { FittedStrip, PackedScheme } from './fit.js';
import type { FitCore } from './fit_core.js';
import { FITS } from './fits.js';
import { outliersBeside, takeOutliers } from './outliers.js';
import { fitPruned } from './pruned.js';
import { runQuantizer } from './quantizers.js';

/** Whole rows as they lie in the source, little-endian floats of `dtype`. */
export interface StripJob {
  readonly raw: Uint8Array;
  readonly dtype: FloatType;
  readonly rows: number;
  readonly k: number;
  readonly scheme: PackedScheme;
}

/** The strip with its codes as a bit stream, unless it is sparse; null: a value is not finite. */
export function fitStrip(
  core: FitCore,
  { raw, dtype, rows, k, scheme }: StripJob,
): FittedStrip | null {
  const { type, format, quantizer, tables, prune } = scheme;
  const { values, finite } = core.widen(raw, dtype, rows * k);
  if (!finite) return null;
  // A fit may overwrite what is widened.
  if (prune) return fitPruned(Float64Array.from(values), k, scheme, prune, core);
  const taken = takeOutliers(values, k, scheme);
  const strip = quantizer
    ? runQuantizer(quantizer, values, k, format, core)
    : FITS.get(type)!.run(values, k, format, core, tables);
  const stored = { ...strip, codes: core.packBits(strip.codes, format.bits) };
  return taken ? { ...stored, outliers: outliersBeside(taken, stored, format, rows, k) } : stored;
}
