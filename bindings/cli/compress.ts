import { type CompressOptions, compressModel } from '../compress/compress.js';
import { parseRecipe, type Recipe } from '../compress/recipe.js';
import { OptionError } from '../errors.js';
import { checkJsonDepth } from '../model/json_fields.js';
import { type Command, writeJson } from './command.js';
import { COMMON, type Options } from './options.js';
import { printable } from './printable.js';
import { ProgressBar } from './progress.js';
import { readTextFile } from './text_file.js';
import { megabytes } from './words.js';

export const compress: Command = {
  spec: {
    name: 'compress',
    summary: 'Write a smaller checkpoint.',
    usage: ['MODEL -o OUT [--scheme S | --recipe FILE] [--force] [--json]'],
    options: {
      out: { value: 'OUT', short: 'o', help: 'a directory, or one .safetensors file' },
      scheme: { value: 'S', help: 'int8, int4, int4-asym or palettize4 (default: int4)' },
      recipe: { value: 'FILE', help: 'JSON: global and overrides, by match or kind' },
      force: { help: 'replace OUT' },
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const out = options.text('out') ?? askForOut(options);
    const choice = await chooseRecipe(options);
    await terminal.holdSignals();
    const progress = new ProgressBar('compressing');
    const started = performance.now();
    const result = await compressModel(options.model, out, {
      ...choice,
      force: options.has('force'),
      signal: terminal.signal,
      onProgress: ({ done, total }) => progress.update(done, total),
    }).finally(() => progress.end());
    if (options.has('json')) return writeJson(terminal, result);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    terminal.write(
      `${printable(out)}: ${megabytes(result.fileBytes)}, ${result.bitsPerWeight.toFixed(2)} bits per weight, ` +
        `${seconds} s\n`,
    );
  },
};

/** Says what to type. */
function askForOut({ model }: Options): never {
  const name = model.replace(/[/\\]+$/, '').replace(/^.*[/\\]|\.safetensors$/g, '') || 'model';
  throw new OptionError(
    `[--out] expected where to write to, came nothing; for example: ` +
      `halfbyte compress ${quoted(model)} -o ${quoted(`${name}-small`)}`,
  );
}

/** A word as a shell takes it. */
function quoted(word: string): string {
  return /^[\w@%+=:,./\\-]+$/.test(word) ? word : `"${word}"`;
}

async function chooseRecipe(options: Options): Promise<Pick<CompressOptions, 'scheme' | 'recipe'>> {
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
