// In a page, whose timers must go on whatever the model does.

import { loadModel } from 'halfbyte';
import * as assert from 'uvu/assert';
import { test } from './support/collect.js';
import { fileBytes, modelFile } from './support/models.js';

/** Large enough for a step of some 50 ms, which a page would feel. */
const LARGE = { hiddenSize: 256, intermediateSize: 704, numLayers: 8, headDim: 64 } as const;

if (typeof (globalThis as { document?: unknown }).document !== 'undefined') {
  test('the page does not wait for the core', async () => {
    const bytes = fileBytes(modelFile('int4', { ...LARGE, contextLength: 1024 }));
    const model = await loadModel(bytes, { threads: 1 });
    const session = await model.createSession();
    let longest = 0;
    let last = performance.now();
    const started = last;
    const tick = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
    };
    const timer = setInterval(tick, 1);
    await session.prefill(Array.from({ length: 1000 }, (_, i) => 3 + (i % 290)));
    tick();
    clearInterval(timer);
    const all = last - started;
    assert.ok(all > 100, `the prefill took ${all} ms only`);
    assert.ok(longest < all / 4, `${longest} of ${all} ms without a tick`);
    await model.dispose();
  });
}
