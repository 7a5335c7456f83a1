// What the compressor writes, where there are files: the same bytes in every runtime, and with any number of threads.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compressModel, parseRecipe } from 'halfbyte/compress';
import * as assert from 'uvu/assert';
import { test } from './support/collect.js';
import { sha256 } from './support/fixtures.js';
import { modelBytes } from './support/models.js';

const per = { granularity: 'per_grouped_channel', group_size: 16, enable_per_channel_scale: true };

/** One of each loop that chooses codes. */
const GLOBALS: Readonly<Record<string, unknown>> = {
  int4: { type: 'linear', dtype: 'int4' },
  'int4-asym': { type: 'linear', dtype: 'int4', mode: 'linear' },
  mlx: { type: 'linear', dtype: 'int3', mode: 'linear', fit: 'mlx' },
  coremltools: { type: 'linear', dtype: 'uint8', mode: 'linear', fit: 'coremltools' },
  'two levels': { type: 'linear', dtype: 'int5', mode: 'linear', scale_dtype: 'int8' },
  palettize4: { type: 'palettize', nbits: 4, ...per, outlier_threshold: 2.5 },
  palettize8: { type: 'palettize', nbits: 8 },
  'float16 tables': { type: 'palettize', nbits: 3, ...per, lut_dtype: 'float16' },
  vectors: { type: 'palettize', nbits: 6, cluster_dim: 2 },
  nf4: { type: 'palettize', nbits: 4, mode: 'custom', lut: 'nf4', block_size: 32 },
  pruned: [
    { type: 'prune', mode: 'magnitude', target_sparsity: 0.5 },
    { type: 'linear', dtype: 'int4', mode: 'linear' },
  ],
};

/** Of all files, in this order. A fit that chooses otherwise changes it, with a reason. */
const HASH = '85c41aaf710c';

test('fits: the same bytes in every runtime and with any threads', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'halfbyte-fits-'));
  try {
    const model = join(folder, 'float.safetensors');
    await writeFile(model, modelBytes('float'));
    const hashes: string[] = [];
    for (const [name, global] of Object.entries(GLOBALS)) {
      const recipe = parseRecipe({ global });
      const files: string[] = [];
      for (const threads of [1, 3]) {
        const out = join(folder, `${name}-${threads}.safetensors`);
        await compressModel(model, out, { recipe, threads });
        files.push(await sha256(await readFile(out)));
      }
      assert.is(files[1], files[0], `${name}: one thread and three`);
      hashes.push(`${name} ${files[0]}`);
    }
    const all = await sha256(new TextEncoder().encode(hashes.join('\n')));
    assert.is(all.slice(0, 12), HASH, hashes.join('\n'));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
