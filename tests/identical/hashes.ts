// SHA-256 of the logits of one prompt, for every way to run it that must not matter.

import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compressModel } from '../../bindings/compress/compress.js';
import { parseRecipe, type Recipe, SCHEMES } from '../../bindings/compress/recipe.js';
import type { KvType, Simd } from '../../bindings/executor/executor.js';
import { WasmExecutor } from '../../bindings/executor/wasm/executor.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { planFor } from '../../bindings/plan/plan_for.js';
import { KvPages } from '../../bindings/session/kv_pages.js';
import { Session } from '../../bindings/session/session.js';
import { TurnQueue } from '../../bindings/session/turn_queue.js';
import { writeTinyLlama } from '../support/tiny_model.js';

/** What no scheme has a name for: float activations, tables of floats, vectors, tables with scales along k, outliers. */
const FURTHER: ReadonlyMap<string, Recipe> = new Map(
  Object.entries({
    'int4-a32': { type: 'linear', dtype: 'int4', activations: 'float' },
    'float16 tables': { type: 'palettize', nbits: 4, lut_dtype: 'float16' },
    'scales of two levels': {
      type: 'linear',
      dtype: 'int4',
      mode: 'linear',
      scale_dtype: 'int8',
    },
    vectors: { type: 'palettize', nbits: 8, cluster_dim: 2 },
    nf4: { type: 'palettize', nbits: 4, mode: 'custom', lut: 'nf4', block_size: 32 },
    // The seeded weights have some beyond so little.
    'outliers, int4': { type: 'linear', dtype: 'int4', outlier_threshold: 2.5 },
    'outliers, palette': { type: 'palettize', nbits: 4, outlier_threshold: 2.5 },
    'outliers, floats': {
      type: 'linear',
      dtype: 'int3',
      activations: 'float',
      outlier_threshold: 2.5,
    },
    fp4: { type: 'palettize', nbits: 4, mode: 'custom', lut: 'fp4', block_size: 32 },
  }).map(([name, global]) => [name, parseRecipe({ global })]),
);
const RECIPES: ReadonlyMap<string, Recipe | null> = new Map([
  ['float', null],
  ...SCHEMES,
  ...FURTHER,
]);
const KV_TYPES: readonly KvType[] = ['f32', 'f16', 'int8'];
/** Every type of cache with one scheme of each family; the others with one type. */
const WITH_ALL_KV_TYPES = ['float', 'int4', 'int4-asym', 'palettize4'];
const kvTypesOf = (scheme: string) =>
  WITH_ALL_KV_TYPES.includes(scheme) ? KV_TYPES : KV_TYPES.slice(1, 2);
const THREADS = [1, 2, 3];
/** Tokens a prefill call; the last is the whole prompt at once. */
const CHUNKS = [1, 3, 7, 64, 270];
const TRACED_CHUNK = 270;
/** More than one attention segment of 256 positions, and not a multiple of a page. */
const PROMPT = Array.from({ length: 270 }, (_, i) => 3 + ((i * i * 7 + i * 31) % 280));
const FOLLOWING = [11, 250, 77];

/** Of one build: of each scheme and cache 5 chunkings, a fork, a replay and a trace, for each number of threads. */
export const OUTCOMES = [...RECIPES.keys()].reduce(
  (sum, scheme) => sum + kvTypesOf(scheme).length * THREADS.length * (CHUNKS.length + 3),
  0,
);

export interface Outcome {
  /** What must give one hash: weights and KV type. */
  readonly group: string;
  readonly variant: string;
  readonly hash: string;
}

/** Runs every variant with the given build. */
export async function outcomes(simd: Simd): Promise<Outcome[]> {
  const folder = await mkdtemp(join(tmpdir(), 'halfbyte-identical-'));
  try {
    const all: Outcome[] = [];
    const model = await writeTinyLlama(join(folder, 'float'), { seed: 5, contextLength: 320 });
    for (const [scheme, recipe] of RECIPES) {
      const path = join(folder, scheme);
      if (recipe) await compressModel(model, path, { recipe });
      for (const kvType of kvTypesOf(scheme)) {
        for (const threads of THREADS) {
          const group = `${scheme}, KV ${kvType}`;
          all.push(...(await variants(path, group, CHUNKS, { simd, threads, kvType })));
          // A traced model runs its ops one by one.
          const traced = { simd, threads, kvType, onTrace: () => {} };
          all.push(...(await variants(path, group, [TRACED_CHUNK], traced)));
        }
      }
    }
    return all;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function variants(
  path: string,
  group: string,
  chunks: readonly number[],
  options: { simd: Simd; threads: number; kvType: KvType; onTrace?: () => void },
): Promise<Outcome[]> {
  const checkpoint = await openCheckpoint(path);
  const plan = planFor(checkpoint.config);
  const executor = await WasmExecutor.create(plan, checkpoint, options);
  await checkpoint.close();
  const pages = new KvPages(executor.kv);
  const owner = {
    executor,
    pages,
    turns: new TurnQueue(),
    vocabSize: plan.vocabSize,
    sessions: new Set<Session>(),
    known: new WeakSet(),
  };
  const traced = options.onTrace ? ', traced' : '';
  const name = `${options.simd}, threads ${options.threads}${traced}`;
  const outcome = async (variant: string, session: Session): Promise<Outcome> => {
    const hash = createHash('sha256');
    for (const token of FOLLOWING) hash.update(asBytes(await session.decode(token)));
    await session.dispose();
    return { group, variant: `${name}, ${variant}`, hash: hash.digest('hex') };
  };

  const results: Outcome[] = [];
  for (const chunk of chunks) {
    const session = new Session(owner, plan.contextLength);
    await prefill(session, PROMPT, chunk);
    if (chunk === 64) {
      results.push(await outcome('fork', await session.fork()));
      const replayed = await session.fork();
      await replayed.prefill([9, 9, 9]);
      await replayed.truncate(100);
      await prefill(replayed, PROMPT.slice(100), 13);
      results.push(await outcome('truncate and replay', replayed));
    }
    results.push(await outcome(`chunks of ${chunk}`, session));
  }
  await executor.dispose();
  return results;
}

async function prefill(session: Session, tokens: readonly number[], chunk: number): Promise<void> {
  for (let i = 0; i < tokens.length; i += chunk) await session.prefill(tokens.slice(i, i + chunk));
}

function asBytes(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}
