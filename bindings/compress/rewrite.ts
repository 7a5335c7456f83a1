// A checkpoint becomes another one of the same kind: config and texts copied, weights written anew.

import { createFile, type FileSink, makeDirectory } from '#platform';
import { type Checkpoint, openCheckpoint } from '../model/checkpoint.js';
import type { Progress } from '../model/progress.js';
import { checkTiedHead } from '../model/tied_head.js';
import type { OptionNames } from '../options.js';
import { checkWeights } from '../plan/check.js';
import { planFor } from '../plan/plan_for.js';
import { type Output, prepareOutput } from './output.js';
import type { OutputTensor } from './output_tensor.js';
import { type WriteOptions, type WrittenWeights, writeWeights } from './write_weights.js';

export interface RewriteOptions {
  /** Replaces an OUT that exists. */
  readonly force?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after every strip of rows; counts weights. */
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

export const REWRITE_OPTIONS: OptionNames<RewriteOptions> = {
  force: true,
  signal: true,
  onProgress: true,
};

/** What is to be written. */
export interface Rewriting {
  /** Of the progress. */
  readonly stage: Progress['stage'];
  /** Who may read it, as `format` in the metadata of the file. */
  readonly format: string;
  readonly tensors: readonly OutputTensor[];
  /** Content of config.json. */
  readonly config: Readonly<Record<string, unknown>>;
}

export interface RewrittenCheckpoint extends WrittenWeights {
  /** Absolute path of OUT. */
  readonly path: string;
}

/**
 * Writes what `choose` makes of the checkpoint at `location` to `out`: a directory, or one file if the name ends
 * in `.safetensors`. On failure or abort nothing is left behind and what stood at `out` stays, as does what
 * others put there meanwhile.
 * @throws what `openCheckpoint`, `checkWeights` and `choose` throw, OptionError for an `out` that exists or would
 *   replace the source, FormatError for weights that are not finite, SourceError for I/O and for an `out` that
 *   changed meanwhile
 */
export async function rewriteCheckpoint(
  location: string,
  out: string,
  options: RewriteOptions & WriteOptions,
  choose: (checkpoint: Checkpoint) => Rewriting,
): Promise<RewrittenCheckpoint> {
  const { signal, force = false } = options;
  signal?.throwIfAborted();
  const checkpoint = await openCheckpoint(location, { signal });
  try {
    checkWeights(planFor(checkpoint.config), checkpoint.weights, location);
    await checkTiedHead(checkpoint, signal);
    const rewriting = choose(checkpoint);
    const sources = new Set([location]);
    for (const { parts } of checkpoint.weights.values()) sources.add(parts[0].source.name);
    const output = await prepareOutput(out, sources, force);
    try {
      const written = await writeCheckpoint(checkpoint, rewriting, output, options);
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

async function writeCheckpoint(
  { texts }: Checkpoint,
  { stage, format, tensors, config }: Rewriting,
  { kind, temporary }: Output,
  options: WriteOptions,
): Promise<WrittenWeights> {
  const files = sideFiles(config, texts);
  if (kind === 'file') {
    const metadata = Object.fromEntries(files.map(({ key, text }) => [key, text]));
    return writeFile(temporary, (sink) =>
      writeWeights(tensors, sink, { format, ...metadata }, stage, options),
    );
  }
  await makeDirectory(temporary);
  for (const { name, text } of files) {
    const bytes = new TextEncoder().encode(text);
    await writeFile(`${temporary}/${name}`, (sink) => sink.write(bytes));
  }
  return writeFile(`${temporary}/model.safetensors`, (sink) =>
    writeWeights(tensors, sink, { format }, stage, options),
  );
}

/** Config and texts: file names in a directory, keys in a single file's metadata. */
function sideFiles(
  config: Rewriting['config'],
  texts: Checkpoint['texts'],
): { name: string; key: string; text: string }[] {
  const all = [
    { name: 'config.json', key: 'config', text: JSON.stringify(config, null, 2) },
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

/** Makes a file, closed whatever `write` does. */
export async function writeFile<T>(
  path: string,
  write: (sink: FileSink) => Promise<T>,
): Promise<T> {
  const sink = await createFile(path);
  try {
    return await write(sink);
  } finally {
    await sink.close();
  }
}
