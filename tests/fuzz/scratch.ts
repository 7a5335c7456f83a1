// Files of a child: one folder, which whoever started it removes; a child may die at any time.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestRandom } from '../support/random.js';
import { draftFiles, type Files, makeDraft } from './draft.js';

const FOLDER = 'HALFBYTE_FUZZ_FOLDER';
let models: Promise<string> | null = null;

/** A folder for the files of children. */
export function makeScratch(): { env: Record<string, string>; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'halfbyte-fuzz-'));
  return {
    env: { [FOLDER]: folder },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function folder(): string {
  const own = process.env[FOLDER];
  if (own) return own;
  const { env, remove } = makeScratch();
  process.env[FOLDER] = env[FOLDER];
  process.once('exit', remove);
  return env[FOLDER]!;
}

/** A valid model as a directory and as a file, of floats and compressed: `float`, `int4.safetensors` ... */
export function scratchModels(): Promise<string> {
  models ??= writeModels();
  return models;
}

async function writeModels(): Promise<string> {
  const path = join(folder(), `models-${process.pid}`);
  mkdirSync(path);
  for (const scheme of ['float', 'int4'] as const) {
    const draft = makeDraft(new TestRandom(7), [scheme]);
    const template = '{% for m in messages %}{{ m.role }}: {{ m.content }}{% endfor %}';
    const whole = { ...draft, chatTemplate: template };
    const file = draftFiles({ ...whole, layout: 'file' }) as Uint8Array;
    await writeFile(join(path, `${scheme}.safetensors`), file);
    await mkdir(join(path, scheme));
    const files = draftFiles({ ...whole, layout: 'directory' }) as Files;
    for (const [name, bytes] of Object.entries(files)) {
      await writeFile(join(path, scheme, name), bytes);
    }
  }
  return path;
}

/** Runs `use` in an empty folder that lies in another one, which is removed. */
export async function inScratch<T>(use: (path: string) => Promise<T>): Promise<T> {
  const outer = join(folder(), `case-${process.pid}`);
  const inner = join(outer, 'inner', 'work');
  await rm(outer, { recursive: true, force: true });
  await mkdir(inner, { recursive: true });
  const before = process.cwd();
  process.chdir(inner);
  try {
    return await use(inner);
  } finally {
    process.chdir(before);
    await rm(outer, { recursive: true, force: true });
  }
}
