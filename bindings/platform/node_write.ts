// Writing to disk in Node. Failures are SourceErrors that name the path.

import type { BigIntStats } from 'node:fs';
import {
  access,
  constants,
  type FileHandle,
  lstat,
  mkdir,
  open,
  readdir,
  realpath,
  rename as renamePath,
  rm,
  rmdir,
  stat,
} from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { named, unlessAbsent } from './node_failures.js';

/** A new file that is written front to back. */
export interface FileSink {
  write(bytes: Uint8Array): Promise<void>;
  /** Overwrites bytes that were written before. */
  writeAt(offset: number, bytes: Uint8Array): Promise<void>;
  /** Closes the file after its bytes have reached the disk. Calling it twice is allowed. */
  close(): Promise<void>;
}

/** @throws SourceError if the file exists already or cannot be made */
export async function createFile(path: string): Promise<FileSink> {
  const handle = await named(path, 'create', () => open(path, 'wx'));
  let end = 0;
  let closed = false;
  const writeAt = (offset: number, bytes: Uint8Array) =>
    named(path, 'write', () => writeAll(handle, offset, bytes));
  return {
    async write(bytes) {
      const offset = end;
      end += bytes.length;
      await writeAt(offset, bytes);
    },
    writeAt,
    async close() {
      if (closed) return;
      closed = true;
      await named(path, 'write', async () => {
        try {
          await handle.datasync();
        } finally {
          await handle.close();
        }
      });
    },
  };
}

/** Makes a directory and those above it; one that is there already is fine. @returns those made, from the top */
export function makeDirectory(path: string): Promise<string[]> {
  return named(path, 'create', () => makeWithParents(path));
}

/** Names of a directory's entries. */
export function listDirectory(path: string): Promise<string[]> {
  return named(path, 'read', () => readdir(path));
}

/** What bears a name itself, not what a link of that name leads to. */
export interface PathState {
  readonly kind: 'file' | 'directory' | 'link' | 'other';
  readonly bytes: number;
  /** When its bytes, or a directory's names, last changed: nanoseconds since 1970. */
  readonly changed: string;
  readonly device: number;
}

/** Null: nothing bears the name. */
export async function pathState(path: string): Promise<PathState | null> {
  const found = await named(path, 'read', () => lstat(path, { bigint: true }).catch(unlessAbsent));
  if (found === null) return null;
  return {
    kind: pathKind(found),
    bytes: Number(found.size),
    changed: String(found.mtimeNs),
    device: Number(found.dev),
  };
}

/** @throws SourceError if this process may not change what lies at `path` */
export async function checkWritable(path: string): Promise<void> {
  await named(path, 'write', () => access(path, constants.W_OK));
}

/** Moves a file or directory, over a file of that name. */
export async function rename(from: string, to: string): Promise<void> {
  await named(to, 'write', () => renamePath(from, to));
}

/** Removes a directory if it is empty. @returns whether it was */
export async function removeEmpty(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch {
    return false;
  }
}

/** Removes a file, or a directory with all in it; nothing there is fine. */
export async function remove(path: string): Promise<void> {
  await named(path, 'remove', () => rm(path, { recursive: true, force: true }));
}

/** Absolute path, with links resolved as far as the path exists. */
export async function resolvePath(path: string): Promise<string> {
  const absolute = resolve(path);
  try {
    return await realpath(absolute);
  } catch {
    const parent = dirname(absolute);
    return parent === absolute ? absolute : join(await resolvePath(parent), basename(absolute));
  }
}

/** The directory that holds `path`. */
export function parentPath(path: string): string {
  return dirname(resolve(path));
}

/** The last part of `path`. */
export function fileName(path: string): string {
  return basename(path);
}

/** mkdir's own `recursive` never ends where a directory refuses new entries with ENOENT, as /proc does. */
async function makeWithParents(path: string): Promise<string[]> {
  try {
    await mkdir(path);
    return [path];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && (await isDirectory(path))) return [];
    const parent = dirname(path);
    if (code !== 'ENOENT' || parent === path || (await isDirectory(parent))) throw error;
    const made = await makeWithParents(parent);
    await mkdir(path);
    return [...made, path];
  }
}

function pathKind(found: BigIntStats): PathState['kind'] {
  if (found.isFile()) return 'file';
  if (found.isDirectory()) return 'directory';
  return found.isSymbolicLink() ? 'link' : 'other';
}

async function isDirectory(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => null);
  return found?.isDirectory() ?? false;
}

async function writeAll(handle: FileHandle, offset: number, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, offset + done);
    done += bytesWritten;
  }
}
