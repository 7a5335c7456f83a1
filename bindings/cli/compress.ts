import { compressModel, type RecipeChoice } from '../compress/compress.js';
import { parseRecipe, type Recipe } from '../compress/recipe.js';
import { OptionError } from '../errors.js';
import { checkJsonDepth } from '../model/json_fields.js';
import type { Command } from './command.js';
import { COMMON, type Options } from './options.js';
import { MODEL_AND_OUT, OUT, outOf, rewriteAndTell } from './rewrite.js';
import { readTextFile } from './text_file.js';

export const compress: Command = {
  spec: {
    name: 'compress',
    summary: 'Write a smaller checkpoint.',
    usage: ['MODEL -o OUT [--scheme S | --recipe FILE] [--force] [--json]'],
    operands: MODEL_AND_OUT,
    options: {
      ...OUT,
      scheme: { value: 'S', help: 'int8, int4, int4-asym or palettize4 (default: int4)' },
      recipe: { value: 'FILE', help: 'JSON: global and overrides, by match or kind' },
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const out = outOf('compress', options, 'small');
    const choice = await chooseRecipe(options);
    await rewriteAndTell('compressing', out, options, terminal, (settings) =>
      compressModel(options.model, out, { ...choice, ...settings }),
    );
  },
};

async function chooseRecipe(options: Options): Promise<RecipeChoice> {
  const scheme = options.text('scheme');
  const file = options.text('recipe');
  if (file === undefined) return { scheme: scheme ?? 'int4' };
  if (scheme !== undefined) {
    throw new OptionError('[compress] expected either --scheme or --recipe, came both');
  }
  return { recipe: await readRecipe(file) };
}

async function readRecipe(file: string): Promise<Recipe> {
  const text = await readTextFile(file, '--recipe');
  checkJsonDepth(text, file);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new OptionError(`[${file}] expected JSON: ${(error as Error).message}`, { cause: error });
  }
  return parseRecipe(json);
}
