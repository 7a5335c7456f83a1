// Giving whole files and directories their names in Node, never over what has the name already.

import { closeSync, lstatSync, openSync, renameSync, unlinkSync } from 'node:fs';
import { link, mkdir, rename, rmdir } from 'node:fs/promises';
import { named, unlessAbsent } from './node_failures.js';

/** What renaming a directory says where a file has the name, or a directory that is not empty. */
const HELD: ReadonlySet<string | undefined> = new Set(['EEXIST', 'ENOTEMPTY', 'ENOTDIR']);

/**
 * Gives a file another name, unless that is taken.
 * @returns false: it is taken; what has it is untouched. True: the file may still have its first name too
 */
export function publishFile(from: string, to: string): Promise<boolean> {
  return named(to, 'write', async () => {
    try {
      await link(from, to);
      return true;
    } catch (error) {
      return codeOf(error) === 'EEXIST' ? false : renameOverClaim(from, to);
    }
  });
}

/**
 * Gives a directory another name, unless that is taken.
 * @param overEmpty an empty directory may have the name
 * @returns false: it is taken; what has it is untouched
 */
export function publishDirectory(from: string, to: string, overEmpty: boolean): Promise<boolean> {
  return named(to, 'write', async () => {
    try {
      // A directory's rename replaces no file and no directory that holds one, but any that is empty: so the
      // empty one is made here, unless the name is taken.
      if (!overEmpty) await mkdir(to);
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw error;
    }
    try {
      // There it replaces no directory at all.
      if (process.platform === 'win32') await rmdir(to).catch(unlessAbsent);
      await rename(from, to);
      return true;
    } catch (error) {
      if (HELD.has(codeOf(error))) return false;
      if (!overEmpty) await rmdir(to).catch(() => undefined);
      throw error;
    }
  });
}

/**
 * For file systems without hard links: the name is taken by an empty file, which the whole one replaces before
 * anything else of this process runs.
 */
function renameOverClaim(from: string, to: string): boolean {
  try {
    closeSync(openSync(to, 'wx'));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
  try {
    renameSync(from, to);
  } catch (error) {
    if (lstatSync(to, { throwIfNoEntry: false })?.size === 0) unlinkSync(to);
    throw error;
  }
  return true;
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
