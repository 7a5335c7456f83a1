// Reading from disk in Node.

import { readSync, type Stats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import { FormatError, SourceError } from '../errors.js';
import type { ByteSource } from './byte_source.js';

/** A file, read by range. @throws SourceError if it cannot be opened, or is none: a pipe may never answer */
export async function openFile(path: string): Promise<ByteSource> {
  // The working directory may change before it is asked for again.
  const place = resolve(path);
  const opened = await statOf(path, place);
  if (!opened.isFile())
    throw new SourceError(`[${path}] expected a file, came ${notAFile(opened)}`);
  const handle = await open(place, 'r').catch((cause) => {
    throw readError(path, cause);
  });
  const { size } = opened;
  let open_ = true;
  return {
    name: path,
    size,
    async read(offset, into, signal) {
      signal?.throwIfAborted();
      let done = 0;
      while (done < into.length) {
        const bytesRead = await readSome(handle, into, done, offset + done).catch((cause) => {
          throw readError(path, cause);
        });
        if (bytesRead === 0) {
          const end = offset + into.length;
          throw new FormatError(
            `[source] ${path}: bytes up to ${end} expected, the file has ${size}`,
          );
        }
        done += bytesRead;
      }
    },
    async checkUnchanged() {
      const now = await statOf(path, place);
      for (const fact of VERSION) {
        if (now[fact] === opened[fact]) continue;
        const came = `${fact} was ${opened[fact]}, now ${now[fact]}`;
        throw new SourceError(`[${path}] changed while it was read: ${came}`);
      }
    },
    async close() {
      if (!open_) return;
      open_ = false;
      await handle.close();
    },
  };
}

/** Reads of no more than this are over sooner than the thread pool can be asked. */
const SHORT_READ = 1 << 17;

/** Fills `into` from `done` on with what lies at `position`. @returns bytes read, 0 at the end of the file */
async function readSome(
  handle: FileHandle,
  into: Uint8Array,
  done: number,
  position: number,
): Promise<number> {
  const length = into.length - done;
  if (length <= SHORT_READ) return readSync(handle.fd, into, done, length, position);
  return (await handle.read(into, done, length, position)).bytesRead;
}

/** What differs between two versions of a file, one of them written over the other or put in its place. */
const VERSION = ['size', 'mtimeMs', 'ino'] as const;

function statOf(path: string, place: string): Promise<Stats> {
  return stat(place).catch((cause) => {
    throw readError(path, cause);
  });
}

function notAFile(found: Stats): string {
  if (found.isDirectory()) return 'a directory';
  if (found.isFIFO()) return 'a pipe';
  return found.isSocket() ? 'a socket' : 'a device';
}

/** What lies at `path`; null: nothing. */
export async function fileKind(path: string): Promise<'file' | 'directory' | null> {
  try {
    return (await stat(path)).isDirectory() ? 'directory' : 'file';
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return null;
    throw readError(path, cause);
  }
}

export function readError(path: string, cause: unknown): SourceError {
  const { code, message } = cause as NodeJS.ErrnoException;
  return new SourceError(`[source] ${path}: cannot be read (${code ?? message})`, { cause });
}
