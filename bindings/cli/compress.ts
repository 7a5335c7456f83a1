import { compressModel, type RecipeChoice } from '../compress/compress.js';
import { planCompression } from '../compress/plan_compression.js';
import { parseRecipe, type Recipe, SCHEMES } from '../compress/recipe.js';
import { OptionError } from '../errors.js';
import { checkJsonDepth } from '../model/json_fields.js';
import { shapeText } from '../model/packed_weight.js';
import { type Command, type Terminal, writeJson } from './command.js';
import { COMMON, type Options } from './options.js';
import { printable } from './printable.js';
import { MODEL_AND_OUT, OUT, outOf, rewriteAndTell } from './rewrite.js';
import { table } from './table.js';
import { readTextFile } from './text_file.js';
import { megabytes } from './words.js';

export const compress: Command = {
  spec: {
    name: 'compress',
    summary: 'Write a smaller checkpoint.',
    usage: [
      'MODEL -o OUT [--scheme S | --recipe FILE]',
      '[--threads N --force --json]',
      'MODEL --dry-run [--scheme S | --recipe FILE] [--json]',
    ],
    operands: MODEL_AND_OUT,
    options: {
      ...OUT,
      scheme: { value: 'S', help: `${[...SCHEMES.keys()].join(', ')} (default: int4)` },
      recipe: { value: 'FILE', help: 'JSON: global and overrides, by match or kind' },
      threads: { value: 'N', help: 'threads that fit, or auto (default: auto)' },
      'dry-run': { help: 'print what each tensor would become; read no weights, write nothing' },
      ...COMMON,
    },
  },

  async run(options, terminal) {
    const dryRun = options.has('dry-run');
    const out = dryRun ? '' : outOf('compress', options, 'small');
    const choice = await chooseRecipe(options);
    if (dryRun) return tellPlan(choice, options, terminal);
    const threads = options.threads();
    await rewriteAndTell('compressing', out, options, terminal, (settings) =>
      compressModel(options.model, out, { ...choice, threads, ...settings }),
    );
  },
};

async function tellPlan(choice: RecipeChoice, options: Options, terminal: Terminal): Promise<void> {
  const { signal } = terminal;
  const plan = await planCompression(options.model, { ...choice, signal });
  if (options.has('json')) return writeJson(terminal, plan);
  const columns = [
    { title: 'path' },
    { title: 'shape' },
    { title: 'from' },
    { title: 'to' },
    { title: 'before', right: true },
    { title: 'after', right: true },
  ];
  const rows = plan.tensors.map(({ path, shape, from, to, bytesBefore, bytesAfter }) => {
    return [
      printable(path),
      shapeText(shape),
      from,
      to,
      megabytes(bytesBefore),
      megabytes(bytesAfter),
    ];
  });
  const { parameters, bitsPerWeight, bytesBefore, bytesAfter } = plan;
  terminal.write(
    `${table(columns, rows)}\n${parameters.toLocaleString('en-US')} weights: ${megabytes(bytesBefore)} -> ` +
      `${megabytes(bytesAfter)}, ${bitsPerWeight.toFixed(2)} bits per weight\n`,
  );
}

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
