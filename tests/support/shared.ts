// Real models, where a developer has them beside the project.

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

export interface SharedModel {
  readonly directory: string;
  /** The parsed golden.json. */
  readonly golden: unknown;
}

/** A model of ../shared/models; null, after one line that says so, where it is not there. */
export async function sharedModel(name: string): Promise<SharedModel | null> {
  const directory = fileURLToPath(new URL(`../../../../shared/models/${name}`, import.meta.url));
  try {
    const golden: unknown = JSON.parse(await readFile(`${directory}/golden.json`, 'utf8'));
    return { directory, golden };
  } catch {
    console.log(`skipped: no ${directory}`);
    return null;
  }
}
