// The list of fits, by `type` of a recipe.

import type { Fit } from './fit.js';
import { linearFit } from './linear.js';
import { paletteFit } from './palettize.js';

export const FITS: ReadonlyMap<string, Fit> = new Map(
  [linearFit, paletteFit].map((fit) => [fit.type, fit]),
);
