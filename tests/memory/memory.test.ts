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

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'halfbyte-memory-'));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test('2,000 generate-and-dispose cycles', () =>
  inFolder(async (folder) => {
    const model = hasShared ? join(SHARED, 'stories260K') : await writeTinyLlama(join(folder, 'a'));
    assertSteady(measure('generate', model, '2000'), model);
  }));

test('100 load-and-dispose cycles', () =>
  inFolder(async (folder) => {
    // Without the shared models, one of the same 30 MB, made here.
    const large = { vocabSize: 24_000, hiddenSize: 288, intermediateSize: 768 };
    const model = hasShared
      ? join(SHARED, 'stories15M')
      : await writeTinyLlama(join(folder, 'large'), large);
    assertSteady(measure('load', model, '100'), model);
  }));

if (hasShared) {
  for (const scheme of ['int4', 'palettize4']) {
    test(`loading stories15M ${scheme} stays within the prediction + 40 MB`, () =>
      inFolder(async (folder) => {
        const model = join(folder, scheme);
        await compressModel(join(SHARED, 'stories15M'), model, { scheme });
        // The tokenizer, which the promise excludes, would be most of it.
        await rm(join(model, 'tokenizer.json'));
        const { before, peak, predicted } = measure('peak', model);
        const numbers = `${(peak - before) / MB} MB taken, ${predicted / MB} MB predicted`;
        assert.ok(peak - before <= predicted + 40 * MB, numbers);
      }));
  }
} else {
  console.log('without the shared models, the peak of loading is not measured');
}

test.run();
