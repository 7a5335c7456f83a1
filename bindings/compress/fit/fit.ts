// How the codes of a family of formats are chosen, and the words by which a recipe asks for it.

import type { WeightFormat } from '../../formats/format.js';
import type { FitCore } from './fit_core.js';

export type Floats = Float32Array | Float64Array;

/** A format, and whose fit chooses its codes. */
export interface PackedScheme {
  /** `type` in a recipe: linear or palettize. */
  readonly type: string;
  readonly format: WeightFormat;
}

/** A strip of rows as it is to be stored. */
export interface FittedStrip {
  /** One a byte: [rows, paddedK(k)]. Padding has no meaning. */
  readonly codes: Uint8Array;
  /** Of each group, values after rounding to the type that holds them. */
  readonly scales: Float32Array;
  readonly biases?: Float32Array;
  readonly lut?: Int8Array;
  /** Float16 holds every scale and bias; if not, they are float32. */
  readonly inHalf: boolean;
}

export interface Fit {
  readonly type: string;
  /**
   * The format that a recipe's options ask for, in Core ML's words.
   * @param where for messages: `global`, `overrides[2]`
   * @throws OptionError for unknown keys and values, UnsupportedError by name for what cannot be made
   */
  parse(options: Readonly<Record<string, unknown>>, where: string): WeightFormat;
  /**
   * The same weights give the same strip, whatever strips they come in.
   * @param weights [rows, k], all finite, of float32's range: whole groups of rows that share anything
   */
  run(weights: Floats, k: number, format: WeightFormat, core: FitCore): FittedStrip;
}
