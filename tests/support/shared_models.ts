// The real checkpoints beside the project. They are not part of it: tests that need them skip without.

import { existsSync } from 'node:fs';
import { join } from 'node:path';

const MODELS = join(import.meta.dirname, '..', '..', '..', '..', 'shared', 'models');

/** The directory of a shared model, or null, once said so, if it is not here. */
export function sharedModel(name: string): string | null {
  const path = join(MODELS, name);
  if (existsSync(path)) return path;
  process.stdout.write(`skipped: ../shared/models/${name} is not here\n`);
  return null;
}
