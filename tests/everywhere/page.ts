// In a page: its timers go on whatever the model does, and it gets its memory back.

import { loadModel } from 'halfbyte';
import * as assert from 'uvu/assert';
import { test } from './support/collect.js';
import { findings, twoThreads } from './support/findings.js';
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

  test('disposed models leave no memory behind', async () => {
    if ((await browserBytes()) === null) return;
    const file = new Blob([fileBytes(modelFile('float', LARGE)) as Uint8Array<ArrayBuffer>]);
    const cycles = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const model = await loadModel(file, { threads: twoThreads() });
        await model.complete([1, 5, 9], { maxTokens: 3 });
        await model.dispose();
      }
    };
    // Until garbage is collected as fast as it is made.
    await cycles(8);
    const before = (await browserBytes()) ?? 0;
    await cycles(16);
    const most = before * 1.1 + 4 * file.size;
    let after = (await browserBytes()) ?? 0;
    // Processes and threads that have ended give their memory back a little later.
    for (let i = 0; i < 50 && after > most; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      after = (await browserBytes()) ?? 0;
    }
    findings.memory = { before, after, loaded: 16 * file.size };
    assert.ok(after <= most, `${before} bytes before, ${after} after`);
  });
}

/** Bytes that all processes of the browser take, as the server sees them; null: it does not look. */
async function browserBytes(): Promise<number | null> {
  const response = await fetch('/memory');
  return response.ok ? Number(await response.text()) : null;
}
