// What stands at a path: enough to know it again.

import { listDirectory, type PathState, pathState } from '#platform';

interface StandingFile extends PathState {
  readonly name: string;
}

export interface Standing extends PathState {
  /** Of a directory, by name. */
  readonly files: readonly StandingFile[];
}

/** Null: nothing stands there. */
export async function standing(path: string): Promise<Standing | null> {
  const state = await pathState(path);
  if (state?.kind !== 'directory') return state && { ...state, files: [] };
  const files: StandingFile[] = [];
  for (const name of (await listDirectory(path)).sort()) {
    const file = await pathState(`${path}/${name}`);
    if (file) files.push({ name, ...file });
  }
  return { ...state, files };
}

/** Whether nothing was added, removed or written since. A directory may have got another name. */
export function isSame(one: Standing, other: Standing | null): boolean {
  return other !== null && fingerprint(one) === fingerprint(other);
}

export function isEmptyDirectory({ kind, files }: Standing): boolean {
  return kind === 'directory' && files.length === 0;
}

function fingerprint({ kind, bytes, changed, files }: Standing): string {
  return JSON.stringify(kind === 'directory' ? files : [kind, bytes, changed]);
}
