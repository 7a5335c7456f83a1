// Where the package's own files lie.

import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the package, from build/. Not before it is needed: a bundled file may lie anywhere. */
export function builtFile(...path: string[]): string {
  return join(dirname(fileURLToPath(import.meta.url)), '..', '..', ...path);
}
