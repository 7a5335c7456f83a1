// What Node's file system refuses, in our words.

import { SourceError } from '../errors.js';

/** @throws SourceError that names the path, for whatever `run` throws */
export async function named<T>(path: string, action: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SourceError(`[${path}] cannot ${action}: ${reason}`, { cause: error });
  }
}

/** Null in place of an error that says there is no such file. */
export function unlessAbsent(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
  throw error;
}
