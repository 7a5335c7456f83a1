// How the codes of a family of formats are chosen, and the words by which a recipe asks for it.

import type { WeightFormat } from '../../formats/format.js';
import type { FitCore } from './fit_core.js';
import type { Prune } from './prune.js';
import type { TableChoice } from './tables.js';

export type Floats = Float32Array | Float64Array;

/** Of whom; Core ML's ranges are signed or not. */
export type Quantizer = 'mlx' | 'coremltools' | 'coremltools_unsigned';

/** A format, and whose fit chooses its codes. */
export interface PackedScheme {
  /** `type` in a recipe: linear or palettize; prune: what is left of the floats stays as it is. */
  readonly type: string;
  readonly format: WeightFormat;
  /** Of a palette; absent: by k-means. */
  readonly tables?: TableChoice;
  /** Whose linear quantizer chooses the codes; absent: our search does. */
  readonly quantizer?: Quantizer;
  /** A tensor of no more weights keeps its floats. */
  readonly weightThreshold?: number;
  /** In root mean squares of the weights that share a scale: those beyond are outliers. Absent: none is. */
  readonly outlierThreshold?: number;
  /** Of a sparse format: which weights become zero first. */
  readonly prune?: Prune;
}

/** A strip of rows as it is to be stored. */
export interface FittedStrip {
  /** One a byte: [rows, paddedK(k)], of a vector palette [rows / dim, paddedK(k)]. Padding has no meaning. */
  readonly codes: Uint8Array;
  /** Of each group, values after rounding to the type that holds them; of two levels, counts. */
  readonly scales: Float32Array | Int8Array;
  readonly biases?: Float32Array | Int8Array;
  /** Only of two levels. */
  readonly scaleSteps?: Float32Array;
  readonly biasSteps?: Float32Array;
  /** Of a sparse strip, whose codes have no padding and may be bytes of floats: as stored; and non-zeros by row. */
  readonly mask?: Uint8Array;
  readonly counts?: Uint32Array;
  /** Entries as they are stored. */
  readonly lut?: Int8Array | Float32Array;
  readonly outliers?: StripOutliers;
  /** Float16 holds every scale and bias; if not, they are float32. */
  readonly inHalf: boolean;
  /** Why the scheme cannot hold these weights. */
  readonly refused?: string;
}

/** What a strip's codes lack of a few weights. */
export interface StripOutliers {
  /** Ascending: row * k + column within the strip. */
  readonly places: Uint32Array;
  readonly values: Float64Array;
}

export interface Fit {
  readonly type: string;
  /** As in a scheme, unless a recipe says otherwise. */
  readonly outlierThreshold?: number;
  /**
   * The scheme that a recipe's options ask for, in Core ML's words.
   * @param where for messages: `global`, `overrides[2]`
   * @throws OptionError for unknown keys and values, UnsupportedError by name for what cannot be made
   */
  parse(options: Readonly<Record<string, unknown>>, where: string): Omit<PackedScheme, 'type'>;
  /**
   * The same weights give the same strip, whatever strips they come in.
   * @param weights [rows, k], all finite, of float32's range: whole groups of rows that share anything
   */
  run(
    weights: Floats,
    k: number,
    format: WeightFormat,
    core: FitCore,
    tables?: TableChoice,
  ): FittedStrip;
}
