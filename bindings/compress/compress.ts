// A float checkpoint becomes a smaller one of the same kind: its weights compressed.

import { OptionError } from '../errors.js';
import type { Checkpoint } from '../model/checkpoint.js';
import { checkOptionNames, type OptionNames } from '../options.js';
import type { Threads } from './fit_ahead.js';
import { assignSchemes, quantizationKeys } from './output_tensor.js';
import { type Recipe, schemeRecipe } from './recipe.js';
import {
  REWRITE_OPTIONS,
  type RewriteOptions,
  type Rewriting,
  type RewrittenCheckpoint,
  rewriteCheckpoint,
} from './rewrite.js';

/** Exactly one of the two. */
export interface RecipeChoice {
  /** `int8`, `int4`, `int4-asym`, `palettize4` and so on: a recipe by its short name. */
  readonly scheme?: string | undefined;
  readonly recipe?: Recipe | undefined;
}

export interface CompressOptions extends RecipeChoice, RewriteOptions {
  /**
   * Threads that fit; what is written does not depend on them. `auto`, the default: as many as there are processors,
   * if there is enough to do.
   */
  readonly threads?: Threads | undefined;
}

const COMPRESS_OPTIONS: OptionNames<CompressOptions> = {
  scheme: true,
  recipe: true,
  threads: true,
  ...REWRITE_OPTIONS,
};

export type CompressResult = Omit<RewrittenCheckpoint, 'rounded'>;

/**
 * Writes the checkpoint at `location`, compressed, to `out`, as `rewriteCheckpoint` does.
 * @throws as `rewriteCheckpoint`, and UnsupportedError for a source that is compressed already
 */
export async function compressModel(
  location: string,
  out: string,
  options: CompressOptions,
): Promise<CompressResult> {
  checkOptionNames('compress', options, COMPRESS_OPTIONS);
  const recipe = chooseRecipe(options);
  const written = await rewriteCheckpoint(location, out, options, (checkpoint) =>
    compressed(checkpoint, recipe),
  );
  const { rounded: none, ...result } = written;
  return result;
}

/** What a recipe makes of a checkpoint. @throws as `assignSchemes` */
export function compressed({ weights, rawConfig }: Checkpoint, recipe: Recipe): Rewriting {
  const tensors = assignSchemes(weights.values(), recipe);
  const config = { ...rawConfig, ...quantizationKeys(tensors) };
  return { stage: 'compress', format: 'halfbyte', tensors, config };
}

/** @throws OptionError unless it is one of the two */
export function chooseRecipe({ scheme, recipe }: RecipeChoice): Recipe {
  if ((scheme === undefined) === (recipe === undefined)) {
    throw new OptionError('[compress] expected either scheme or recipe, came both or neither');
  }
  return recipe ?? schemeRecipe(scheme as string);
}
