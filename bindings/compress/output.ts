// Where the compressed checkpoint goes. All is written under a temporary name beside OUT and renamed at
// the end, so that OUT is either whole or as it was.

import {
  fileKind,
  listDirectory,
  makeDirectory,
  parentPath,
  remove,
  rename,
  resolvePath,
} from '#platform';
import { OptionError } from '../errors.js';

export interface Output {
  /** Absolute path of OUT. */
  readonly path: string;
  /** A directory with config.json and model.safetensors, or one file that carries all. */
  readonly kind: 'directory' | 'file';
  /** Where to write meanwhile: does not exist yet, its parent does. */
  readonly temporary: string;
  /** Puts what was written in OUT's place. */
  commit(): Promise<void>;
  /** Removes what was written; nothing to do after `commit`. */
  discard(): Promise<void>;
}

/**
 * @param out ends in .safetensors: one file, else a directory
 * @param sources paths or URLs that are read, none of which OUT may replace
 * @throws OptionError if OUT exists (unless `force`) or would replace a source
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
  const existing = await occupiedBy(path, kind);
  if (existing && !force) throw new OptionError(`[out] ${out}: ${existing}; --force replaces it`);
  if (existing) await checkReplaceable(path, out, kind);
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.tmp`;
  await makeDirectory(parentPath(path));
  return {
    path,
    kind,
    temporary,
    commit: () => replace(temporary, path, kind),
    discard: () => remove(temporary),
  };
}

/** What stands at `path` already, in words; null if there is nothing that matters. */
async function occupiedBy(path: string, kind: Output['kind']): Promise<string | null> {
  const found = await fileKind(path);
  if (found === null) return null;
  if (found === 'file') return 'the file exists';
  if (kind === 'directory' && (await listDirectory(path)).length === 0) return null;
  return 'the directory exists';
}

/** All that a directory this compressor made can hold. */
const OUR_FILES: ReadonlySet<string> = new Set([
  'config.json',
  'model.safetensors',
  'tokenizer.json',
  'tokenizer_config.json',
  'generation_config.json',
  'chat_template.jinja',
]);

/** `force` replaces a file by a file and a checkpoint by a checkpoint, never a directory of other things. */
async function checkReplaceable(path: string, out: string, kind: Output['kind']): Promise<void> {
  const found = await fileKind(path);
  if (found !== kind) throw new OptionError(`[out] ${out}: expected a ${kind}, came a ${found}`);
  if (kind === 'file') return;
  const names = await listDirectory(path);
  if (!names.includes('config.json')) {
    throw new OptionError(`[out] ${out}: holds no config.json, so it is no checkpoint to replace`);
  }
  const other = names.find((name) => !OUR_FILES.has(name));
  if (other !== undefined) {
    throw new OptionError(`[out] ${out}: holds ${other} too, which would be lost; remove it first`);
  }
}

async function replace(temporary: string, path: string, kind: Output['kind']): Promise<void> {
  if (kind === 'file' || (await fileKind(path)) === null) return rename(temporary, path);
  const previous = `${temporary}.old`;
  await rename(path, previous);
  try {
    await rename(temporary, path);
  } catch (error) {
    await rename(previous, path);
    throw error;
  }
  await remove(previous);
}
