// A strip of weights of which some become zero, as a sparse format stores it.

import { packBits } from '../../formats/bits.js';
import { encodeFloats } from '../../formats/float_bytes.js';
import { paddedK } from '../../formats/format.js';
import { valuesOf } from '../../formats/sparse.js';
import type { FittedStrip, PackedScheme } from './fit.js';
import type { FitCore } from './fit_core.js';
import { FITS } from './fits.js';
import { fitNonZeros } from './non_zeros.js';
import { type Prune, pruneRows } from './prune.js';

/** @param weights [rows, k]; changed */
export function fitPruned(
  weights: Float64Array,
  k: number,
  { type, format }: PackedScheme,
  prune: Prune,
  core: FitCore,
): FittedStrip {
  pruneRows(prune, weights, k);
  const rows = weights.length / k;
  const mask = new Uint8Array(rows * paddedK(k));
  const counts = new Uint32Array(rows);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < k; i++) {
      if (weights[row * k + i] === 0) continue;
      mask[row * paddedK(k) + i] = 1;
      counts[row]!++;
    }
  }
  const values = valuesOf(format);
  const fitted = values.float
    ? {
        codes: encodeFloats(
          weights.filter((w) => w !== 0),
          values.float,
        ),
        scales: new Float32Array(0),
        inHalf: true,
      }
    : fitNonZeros(FITS.get(type)!, weights, k, values, core);
  return { ...fitted, mask: packBits(mask, 1), counts };
}
