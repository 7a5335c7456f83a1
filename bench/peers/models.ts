// The weights that all runtimes run: a seeded checkpoint, and the GGUF made of it, which lies beside it.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { seededModel } from '../seeded_model.js';
import type { ModelShape } from '../shapes.js';
import { writeLlamaGguf } from './llama_gguf.js';

/** The number counts what this project has changed about such files: another one is written anew. */
export const GGUF_FILE = 'model.q4_0.1.gguf';

/** @returns the directory that holds both */
export async function modelFor(shape: ModelShape, folder: string): Promise<string> {
  const directory = await seededModel(shape, folder);
  const gguf = join(directory, GGUF_FILE);
  if (!existsSync(gguf)) await writeLlamaGguf(directory, gguf);
  return directory;
}
