// What a writer's metadata says, whoever wrote it.

import type { WeightFormat } from '../../formats/format.js';

/** How one packed weight is meant to be read. */
export interface Meaning {
  /** All but the type of scales, which their tensors tell. */
  readonly format: WeightFormat;
  /** k, where the metadata has it; rows on disk are padded. */
  readonly inFeatures: number | null;
}

export interface Quantization {
  /** For messages: the config key that says so. */
  readonly key: string;
  /** What the weight at `path` must be: null if it must be floats. */
  meaning(path: string): Meaning | null;
  /** Paths that must be packed; empty where the metadata names none. */
  readonly paths: readonly string[];
}
