// Where the compressed checkpoint goes. All is written under a temporary name beside OUT, which gets OUT's name
// at the end, so that OUT is either whole or as it was. What others put there meanwhile is left alone: nothing
// is replaced but what was seen before the work, and nothing removed but files of a checkpoint.

import {
  checkWritable,
  fileName,
  listDirectory,
  makeDirectory,
  parentPath,
  pathState,
  publishDirectory,
  publishFile,
  remove,
  removeEmpty,
  rename,
  resolvePath,
} from '#platform';
import { OptionError, SourceError } from '../errors.js';
import { isEmptyDirectory, isSame, type Standing, standing } from './standing.js';

export interface Output {
  /** Absolute path of OUT. */
  readonly path: string;
  /** A directory with config.json and model.safetensors, or one file that carries all. */
  readonly kind: 'directory' | 'file';
  /** Where to write meanwhile: does not exist yet, its parent does. */
  readonly temporary: string;
  /**
   * Puts what was written in OUT's place.
   * @throws SourceError if anything stands there that did not before; it is left as it is
   */
  commit(): Promise<void>;
  /** Removes what was written and is not in OUT's place. */
  discard(): Promise<void>;
}

/**
 * @param out ends in .safetensors: one file, else a directory
 * @param sources paths or URLs that are read, none of which OUT may replace
 * @throws OptionError if OUT exists (unless `force`), is nothing that can be replaced, or would replace a
 *   source, SourceError if it cannot be written
 */
export async function prepareOutput(
  out: string,
  sources: Iterable<string>,
  force: boolean,
): Promise<Output> {
  if (out === '') throw new OptionError('[out] expected a path, came an empty string');
  const path = await resolvePath(out);
  const kind = path.endsWith('.safetensors') ? 'file' : 'directory';
  for (const source of sources) {
    const resolved = await resolvePath(source);
    if (resolved === path || resolved.startsWith(`${path}/`) || resolved.startsWith(`${path}\\`)) {
      throw new OptionError(`[out] ${out} would replace the model it is made from (${source})`);
    }
  }
  const before = await standing(path);
  if (before) await checkReplaceable(before, path, out, kind, force);
  const parents = await makeDirectory(parentPath(path));
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  return {
    path,
    kind,
    temporary,
    commit: () => commit({ path, kind, temporary }, before),
    async discard() {
      await remove(temporary);
      for (const parent of parents.reverse()) await removeEmpty(parent);
    },
  };
}

/** Ends the name that OUT has while it is being replaced. */
const ASIDE = '.old';

/** All that a directory this compressor made can hold. */
const OUR_FILES: ReadonlySet<string> = new Set([
  'config.json',
  'model.safetensors',
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  'chat_template.jinja',
]);

/**
 * An empty directory is as good as nothing. `force` replaces a file by a file and a checkpoint by a checkpoint,
 * never a directory of other things.
 */
async function checkReplaceable(
  before: Standing,
  path: string,
  out: string,
  kind: Output['kind'],
  force: boolean,
): Promise<void> {
  const refuse = (reason: string) => new OptionError(`[out] ${out}: ${reason}`);
  if (before.kind === 'link') throw refuse('expected a free name, came a link to nothing');
  if (before.kind === 'other') throw refuse('expected a free name, came no file or directory');
  const empty = kind === 'directory' && isEmptyDirectory(before);
  if (!empty && !force) throw refuse(`the ${before.kind} exists; --force replaces it`);
  if (before.kind !== kind) throw refuse(`expected a ${kind}, came a ${before.kind}`);
  if (kind === 'directory' && !empty) checkOurs(before, refuse);
  await checkWritable(path);
  if (kind === 'directory' && (await pathState(parentPath(path)))?.device !== before.device) {
    throw refuse('expected a directory that can be renamed, came a mount point; name one in it');
  }
}

function checkOurs({ files }: Standing, refuse: (reason: string) => OptionError): void {
  if (!files.some(({ name }) => name === 'config.json')) {
    throw refuse('holds no config.json, so it is no checkpoint to replace');
  }
  const other = files.find(({ name, kind }) => !OUR_FILES.has(name) || kind === 'directory');
  if (other) throw refuse(`holds ${other.name} too, which would be lost; remove it first`);
}

async function commit(
  { path, kind, temporary }: Pick<Output, 'path' | 'kind' | 'temporary'>,
  before: Standing | null,
): Promise<void> {
  const overEmpty = before !== null && isEmptyDirectory(before);
  const publish = () =>
    kind === 'file' ? publishFile(temporary, path) : publishDirectory(temporary, path, overEmpty);
  if (before !== null && !overEmpty && !(await isGone(path))) {
    return replace(path, before, temporary + ASIDE, publish);
  }
  if (!(await publish())) throw changed(path);
}

/** Whether nothing stands there, and not because another compression is about to put something there. */
async function isGone(path: string): Promise<boolean> {
  if ((await pathState(path)) !== null) return false;
  const isAside = (name: string) => name.startsWith(`${fileName(path)}.`) && name.endsWith(ASIDE);
  return !(await listDirectory(parentPath(path))).some(isAside);
}

/** What was seen before the work makes room, and goes once `publish` has put the new in its place. */
async function replace(
  path: string,
  before: Standing,
  aside: string,
  publish: () => Promise<boolean>,
): Promise<void> {
  if (!isSame(before, await standing(path))) throw changed(path);
  await rename(path, aside);
  let published = false;
  try {
    // What came in between the look and the move has moved along.
    published = isSame(before, await standing(aside)) && (await publish());
  } finally {
    if (!published) await putBack(aside, path);
  }
  if (!published) throw changed(path);
  await removeReplaced(aside, before, path);
}

async function putBack(aside: string, path: string): Promise<void> {
  const isDirectory = (await pathState(aside))?.kind === 'directory';
  const done = isDirectory
    ? await publishDirectory(aside, path, false)
    : await publishFile(aside, path);
  if (!done) {
    throw new SourceError(`[out] ${path}: others made it meanwhile; what it was lies at ${aside}`);
  }
  if (!isDirectory) await remove(aside);
}

async function removeReplaced(aside: string, { kind, files }: Standing, path: string) {
  if (kind === 'file') return remove(aside);
  for (const { name } of files) await remove(`${aside}/${name}`);
  if (await removeEmpty(aside)) return;
  throw new SourceError(`[out] ${path} is written; what it was got more files meanwhile: ${aside}`);
}

function changed(path: string): SourceError {
  return new SourceError(
    `[out] ${path}: expected the same as before the work, came something made meanwhile; it is left as it is`,
  );
}
