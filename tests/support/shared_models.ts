// The real checkpoints beside the project. They are not part of it: tests that need them skip
// without.

import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** As seen from build/tests/support. */
const MODELS = new URL('../../../../shared/models/', import.meta.url);

/** The directory of a shared model, or null, once said so, if it is not here. */
export function sharedModel(name: string): string | null {
  const path = fileURLToPath(new URL(name, MODELS));
  if (existsSync(path)) return path;
  process.stdout.write(`skipped: ../shared/models/${name} is not here\n`);
  return null;
}
