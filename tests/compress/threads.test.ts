// The same bytes with any number of threads, also where threads die or never begin.

import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compressModel } from '../../bindings/compress/compress.js';
import { FitThreads } from '../../bindings/compress/fit/fit_threads.js';
import { fitAhead, piecesOf } from '../../bindings/compress/fit_ahead.js';
import { assignSchemes } from '../../bindings/compress/output_tensor.js';
import { schemeRecipe } from '../../bindings/compress/recipe.js';
import { writeTensors } from '../../bindings/compress/write_weights.js';
import { openCheckpoint } from '../../bindings/model/checkpoint.js';
import { raises } from '../support/raises.js';
import { writeTinyLlama } from '../support/tiny_model.js';

const test = suite<{ dir: string; model: string }>('threads that fit');

test.before(async (context) => {
  context.dir = await mkdtemp(join(tmpdir(), 'halfbyte-fit-threads-'));
  context.model = await writeTinyLlama(join(context.dir, 'model'));
});

test.after(({ dir }) => rm(dir, { recursive: true }));

for (const scheme of ['int8', 'int4', 'int4-asym', 'palettize4', 'palettize6']) {
  test(`${scheme}: one, two and five threads write the same file`, async ({ dir, model }) => {
    const files: Buffer[] = [];
    for (const threads of [1, 2, 5]) {
      const out = join(dir, `${scheme}-${threads}.safetensors`);
      await compressModel(model, out, { scheme, threads });
      files.push(await readFile(out));
    }
    for (const file of files) assert.ok(file.equals(files[0]!));
  });
}

/** Strips of all weights of the model by threads of a script. */
async function fitAll(model: string, threads: number, script?: string[]) {
  const checkpoint = await openCheckpoint(model, {});
  const pieces = piecesOf(assignSchemes(checkpoint.weights.values(), schemeRecipe('int4')));
  const fitting = await FitThreads.start(threads, pieces.length, script);
  try {
    const strips = fitAhead(pieces, fitting, undefined);
    const all = [];
    for (const _ of pieces) all.push((await strips.next()).value);
    return all;
  } finally {
    await fitting.end();
    await checkpoint.close();
  }
}

for (const [what, script] of [
  ['that die of a question', ['tests', 'support', 'dying_fit_worker.js']],
  ['whose script is not there', ['nowhere', 'worker.js']],
] as const) {
  test(`threads ${what} are done without`, async ({ model }) => {
    assert.equal(await fitAll(model, 3, [...script]), await fitAll(model, 1));
  });
}

test('an abort leaves nothing behind, and no thread', async ({ dir, model }) => {
  const before = await readdir(dir);
  const abort = new AbortController();
  const onProgress = () => abort.abort(new Error('enough'));
  const options = { scheme: 'int4', threads: 2, signal: abort.signal, onProgress };
  const reason = await compressModel(model, join(dir, 'aborted'), options).catch((error) => error);
  assert.is(reason.message, 'enough');
  assert.equal(await readdir(dir), before);
});

test('an abort does not wait for a strip', async ({ model }) => {
  const checkpoint = await openCheckpoint(model, {});
  const tensors = assignSchemes(checkpoint.weights.values(), schemeRecipe('int4'));
  const sink = { write: async () => {}, writeAt: async () => {}, close: async () => {} };
  const abort = new AbortController();
  const never = () => {
    abort.abort(new Error('enough'));
    return new Promise<never>(() => {});
  };
  const written = writeTensors(tensors, never, sink, {}, 'compress', { signal: abort.signal });
  assert.is((await written.catch((error) => error)).message, 'enough');
  await checkpoint.close();
});

test('threads that are no number of them', async ({ dir, model }) => {
  for (const threads of [0, 1.5, 65, 'two' as 'auto']) {
    const wrong = () => compressModel(model, join(dir, 'wrong'), { scheme: 'int4', threads });
    await raises(wrong, 'OPTION', ['[compress] threads', `${threads}`]);
  }
});

test.run();
