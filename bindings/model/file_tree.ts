// The files of a model, wherever they lie: on disk, behind URLs, in Blobs or in memory.

import { fileKind, locate, openFile } from '#platform';
import { FormatError, OptionError, SourceError, show } from '../errors.js';
import { ADAPTER_CONFIG } from './adapter.js';
import type { FileTree, FoundFiles, SourceOptions } from './files.js';
import { isBlob, isUint8Array, isUrl } from './kinds.js';
import { refuseOtherNames } from './other_formats.js';
import { blobSource, memorySource } from './source.js';
import { urlTree } from './url_tree.js';

/**
 * Where a model lies: a path or URL of a directory or of one `.safetensors` file; the bytes of such a file,
 * as a Blob, a File or in memory; or the files of a directory by name.
 */
export type ModelLocation =
  | string
  | URL
  | Blob
  | Uint8Array
  | Readonly<Record<string, Blob | Uint8Array>>;

/** What to call a location in messages. */
export function locationName(location: ModelLocation): string {
  if (typeof location === 'string') return location;
  if (isUrl(location)) return location.href;
  if (isUint8Array(location)) return 'bytes';
  if (isBlob(location)) return (location as Blob & { name?: string }).name ?? 'blob';
  return Object.keys(location)[0] ?? 'files';
}

/** @throws SourceError if nothing is there, FormatError for a file that is no model, OptionError */
export async function findFiles(
  location: ModelLocation,
  options: SourceOptions,
): Promise<FoundFiles> {
  if (typeof location === 'string' || isUrl(location)) {
    const place = locate(location);
    if ('path' in place) return diskTree(place.path);
    refuseOtherNames(place.url.pathname);
    return urlTree(place.url, options);
  }
  if (location === null || typeof location !== 'object') {
    const expected = 'expected a path, a URL, a Blob, bytes or files by name';
    throw new OptionError(`[load] location: ${expected}, came ${show(location)}`);
  }
  const name = locationName(location);
  if (isUint8Array(location) || isBlob(location)) {
    return { tree: memoryTree({ [name]: location }, ''), file: name };
  }
  return recordTree(location);
}

async function diskTree(path: string): Promise<FoundFiles> {
  if (path === '') throw new OptionError('[load] location: expected a path, came an empty text');
  const kind = await fileKind(path);
  if (kind === null) throw new SourceError(`[${path}] no such file or directory`);
  if (kind === 'directory') {
    return { tree: diskFiles(/[/\\]$/.test(path) ? path : `${path}/`), file: null };
  }
  if (!path.endsWith('.safetensors')) {
    refuseOtherNames(path);
    const expected = 'expected a directory or a file that ends in .safetensors';
    throw new FormatError(`[${path}] not a model: ${expected}`);
  }
  const nameAt = Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) + 1;
  return { tree: diskFiles(path.slice(0, nameAt)), file: path.slice(nameAt) };
}

/** @param directory with its closing slash, or '' */
function diskFiles(directory: string): FileTree {
  const name = (path: string) => `${directory}${path}`;
  return {
    name,
    open: async (path) => ((await fileKind(name(path))) === null ? null : openFile(name(path))),
  };
}

type Files = Readonly<Record<string, Blob | Uint8Array>>;

/** Names may share a folder, as those of a chosen directory do: `stories/config.json`. */
function recordTree(files: Files): FoundFiles {
  const names = Object.keys(files);
  for (const name of names) {
    const file: unknown = files[name];
    if (isBlob(file) || isUint8Array(file)) continue;
    throw new OptionError(`[${name}] expected a Blob or a Uint8Array, came ${typeof file}`);
  }
  const folder = folderOf('config.json', names) ?? folderOf(ADAPTER_CONFIG, names);
  if (folder !== null) return { tree: memoryTree(files, folder), file: null };
  const weights = names.filter((name) => name.endsWith('.safetensors'));
  if (weights.length === 1) return { tree: memoryTree(files, ''), file: weights[0]! };
  for (const name of names) refuseOtherNames(name);
  const came = names.length === 0 ? 'none' : names.join(', ');
  throw new SourceError(`[load] not a model: expected config.json among the files, came ${came}`);
}

/** With its closing slash, or ''; null: no file is called so. */
function folderOf(file: string, names: readonly string[]): string | null {
  const found = names.find((name) => name.split('/').at(-1) === file);
  return found === undefined ? null : found.slice(0, -file.length);
}

function memoryTree(files: Files, folder: string): FileTree {
  const find = (path: string) => files[`${folder}${path}`];
  return {
    name: (path) => `${folder}${path}`,
    async open(path) {
      const file = find(path);
      if (file === undefined) return null;
      return isBlob(file) ? blobSource(path, file) : memorySource(path, file);
    },
  };
}
