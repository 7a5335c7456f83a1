// A float checkpoint becomes a smaller one of the same kind: config and texts copied, weights compressed.

import { createFile, makeDirectory } from '#platform';
import { OptionError } from '../errors.js';
import { type Checkpoint, openCheckpoint } from '../model/checkpoint.js';
import type { Progress } from '../model/progress.js';
import { checkTiedHead } from '../model/tied_head.js';
import { checkOptionNames, type OptionNames } from '../options.js';
import { checkWeights } from '../plan/check.js';
import { planFor } from '../plan/plan_for.js';
import { assignSchemes, type CompressedTensor, quantizationKeys } from './compressed_tensor.js';
import { type Output, prepareOutput } from './output.js';
import { type Recipe, schemeRecipe } from './recipe.js';
import { type WrittenWeights, writeWeights } from './write_weights.js';

export interface CompressOptions {
  /** `int8`, `int4`, `int4-asym` or `palettize4`; or a whole recipe. Exactly one of the two. */
  readonly scheme?: string | undefined;
  readonly recipe?: Recipe | undefined;
  /** Replaces an OUT that exists. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after every strip of rows; counts weights. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

const COMPRESS_OPTIONS: OptionNames<CompressOptions> = {
  scheme: true,
  recipe: true,
  force: true,
  signal: true,
  onProgress: true,
};

export interface CompressResult extends WrittenWeights {
  /** Absolute path of OUT. */
  readonly path: string;
}

/**
 * Writes the checkpoint at `location`, compressed, to `out`: a directory, or one file if the name ends in
 * `.safetensors`. On failure or abort nothing is left behind and what stood at `out` stays, as does what
 * others put there meanwhile.
 * @throws what `openCheckpoint` and `checkWeights` throw, OptionError for an `out` that exists or would
 *   replace the source, UnsupportedError for a source that is compressed already, FormatError for weights
 *   that are not finite, SourceError for I/O and for an `out` that changed meanwhile
 */
export async function compressModel(
  location: string,
  out: string,
  options: CompressOptions,
): Promise<CompressResult> {
  checkOptionNames('compress', options, COMPRESS_OPTIONS);
  const recipe = chooseRecipe(options);
  const { signal } = options;
  signal?.throwIfAborted();
  const checkpoint = await openCheckpoint(location, { signal });
  try {
    checkWeights(planFor(checkpoint.config), checkpoint.weights, location);
    await checkTiedHead(checkpoint, signal);
    const tensors = assignSchemes(checkpoint.weights.values(), recipe);
    const sources = new Set([location]);
    for (const { weight } of tensors) sources.add(weight.parts[0].source.name);
    const output = await prepareOutput(out, sources, options.force ?? false);
    try {
      const written = await writeCheckpoint(checkpoint, tensors, output, options);
      await checkpoint.checkUnchanged();
      signal?.throwIfAborted();
      await output.commit();
      return { path: output.path, ...written };
    } finally {
      await output.discard();
    }
  } finally {
    await checkpoint.close();
  }
}

function chooseRecipe({ scheme, recipe }: CompressOptions): Recipe {
  if ((scheme === undefined) === (recipe === undefined)) {
    throw new OptionError('[compress] expected either scheme or recipe, came both or neither');
  }
  return recipe ?? schemeRecipe(scheme as string);
}

async function writeCheckpoint(
  checkpoint: Checkpoint,
  tensors: readonly CompressedTensor[],
  { kind, temporary }: Output,
  options: CompressOptions,
): Promise<WrittenWeights> {
  const files = sideFiles(checkpoint, tensors);
  const format = { format: 'halfbyte' };
  if (kind === 'file') {
    const metadata = Object.fromEntries(files.map(({ key, text }) => [key, text]));
    return writeWeights(tensors, temporary, { ...format, ...metadata }, options);
  }
  await makeDirectory(temporary);
  for (const { name, text } of files) await writeText(`${temporary}/${name}`, text);
  return writeWeights(tensors, `${temporary}/model.safetensors`, format, options);
}

/** Config and texts: file names in a directory, keys in a single file's metadata. */
function sideFiles(
  { rawConfig, texts }: Checkpoint,
  tensors: readonly CompressedTensor[],
): { name: string; key: string; text: string }[] {
  const config = JSON.stringify({ ...rawConfig, ...quantizationKeys(tensors) }, null, 2);
  const all = [
    { name: 'config.json', key: 'config', text: config },
    { name: 'tokenizer.json', key: 'tokenizer', text: withoutSpaces(texts.tokenizer) },
    { name: 'tokenizer_config.json', key: 'tokenizer_config', text: texts.tokenizerConfig },
    { name: 'generation_config.json', key: 'generation_config', text: texts.generationConfig },
    { name: 'chat_template.jinja', key: 'chat_template', text: texts.chatTemplate },
  ];
  return all.flatMap(({ text, ...rest }) => (text === null ? [] : [{ ...rest, text }]));
}

/** JSON without the spaces between its parts: of a large vocabulary they are more than half. */
function withoutSpaces(json: string | null): string | null {
  return json?.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1') ?? null;
}

async function writeText(path: string, text: string): Promise<void> {
  const sink = await createFile(path);
  try {
    await sink.write(new TextEncoder().encode(text));
  } finally {
    await sink.close();
  }
}
