// Promise 5: what is disposed is freed. Promise 2: loading takes what `inspect` says.

import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import { SCHEMES } from '../../bindings/compress/recipe.js';
import { writeTinyLlama } from '../support/tiny_model.js';
import { fifth } from './resident.js';

const MB = 1e6;
const SHARED = fileURLToPath(new URL('../../../../shared/models', import.meta.url));
const hasShared = existsSync(SHARED);

function measure(...args: string[]) {
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  return JSON.parse(
    execFileSync(process.execPath, ['--expose-gc', main, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  );
}

/** The last fifth is within 10 % + 8 MB of the second. */
function assertSteady(samples: number[], name: string): void {
  const [second, last] = [fifth(samples, 1), fifth(samples, 4)];
  const numbers = `${name}: ${(second / MB).toFixed(1)} MB, then ${(last / MB).toFixed(1)} MB`;
  assert.ok(last <= second * 1.1 + 8 * MB, numbers);
}

const folder = await mkdtemp(join(tmpdir(), 'halfbyte-memory-'));
test.after(() => rm(folder, { recursive: true, force: true }));

// Without the shared models, ones of the same sizes, made here.
const small = hasShared ? join(SHARED, 'stories260K') : await writeTinyLlama(join(folder, 'small'));
const large = hasShared
  ? join(SHARED, 'stories15M')
  : await writeTinyLlama(join(folder, 'large'), {
      vocabSize: 24_000,
      hiddenSize: 288,
      intermediateSize: 768,
    });

test('2,000 generate-and-dispose cycles', () => {
  assertSteady(measure('generate', small, '2000'), small);
});

test('100 load-and-dispose cycles', () => {
  assertSteady(measure('load', large, '100'), large);
});

for (const scheme of SCHEMES.keys()) {
  test(`loading ${scheme} stays within the prediction + 40 MB`, async () => {
    const model = join(folder, scheme);
    await compressModel(large, model, { scheme });
    // The promise excludes the tokenizer.
    await rm(join(model, 'tokenizer.json'), { force: true });
    const { before, peak, predicted } = measure('peak', model);
    const numbers = `${(peak - before) / MB} MB taken, ${predicted / MB} MB predicted`;
    assert.ok(peak - before <= predicted + 40 * MB, numbers);
  });
}

test.run();
